// SPDX-License-Identifier: BSD-3-Clause
// MilterSession: one message and one milter, as the side of the mail server. A pure engine: octets
// in, octets out; who drives it has the socket and the clock.
//
//   for (;;) {
//     if (!(octets = session.take_output()).empty()) send them
//     else if (session.is_over()) break
//     else if (session.wants_text()) session.text(...) or session.text_is_over()
//     else session.take(what comes)
//   }
//   session.result()
//
// The whole of the message is there before the milter is asked, so a recipient that it refuses
// refuses the message. It may add fields and hold the message; nothing else is offered to it. What
// it asks for all the same: a change of fields is left undone and told of (MilterResult::note);
// another body, sender or recipient makes its consent worthless, as what it agreed to is not what
// would be delivered. Its refusal counts always.
//
// Bounds: kAddedMax octets of fields that it adds; one piece of text waits here. Thread: any.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "services/mail/message/envelope.h"
#include "services/mail/message/reply.h"
#include "services/mail/scan/milter_codec.h"
#include "services/mail/scan/text_splitter.h"

namespace postern::mail {

// What a milter is told before the text.
struct MilterMail {
  const std::string& host;  // ours
  const std::string& id;    // of the queue
  const Envelope& envelope;
};

struct MilterResult {
  enum class Kind : uint8_t {
    pass,
    refuse,   // `reply`
    later,    // `reply`
    discard,  // without a word
    hold,
    fault,  // it did not say what is to become of the message; `why`
  };
  Kind kind = Kind::fault;
  Reply reply;
  std::string why;    // of `hold` and `fault`
  std::string added;  // fields with their CRLFs
  std::string note;   // what it wanted and did not get; empty: nothing
};

class MilterSession final : private TextSplitter::Sink {
 public:
  static constexpr size_t kTextMax = 65536;  // octets of one text()
  static constexpr size_t kAddedMax = 65536;

  // What `mail` refers to outlives the session.
  explicit MilterSession(const MilterMail& mail);

  std::string take_output();
  bool wants_text() const { return !is_over_ && !is_waiting_ && !has_all_text_; }
  void text(std::string_view octets);
  void text_is_over();
  void take(std::string_view octets);
  // The milter has closed, or cannot be reached; `why` in words.
  void fail(std::string why);

  // There may be output yet.
  bool is_over() const { return is_over_; }
  const MilterResult& result() const { return result_; }

 private:
  struct Command {
    char command;
    std::string data;
  };

  void field(std::string_view name, std::string_view value) override;
  void end_of_header() override;
  void body(std::string_view octets) override;

  bool has_step(uint32_t step) const { return (options_.steps & step) != 0; }
  void add(char command, std::string data);
  void add_macros(char command, std::initializer_list<std::string_view> names_and_values);
  void add_envelope();
  void go_on();
  void take_packet(const MilterPacket& packet);
  void take_options(std::string_view data);
  bool take_change(const MilterPacket& packet);
  void add_field(std::string_view data);
  void take_verdict(const MilterPacket& packet);
  void take_reply(std::string_view data);
  void proceed();
  void end(MilterResult::Kind kind, Reply reply);

  const MilterMail mail_;
  MilterOptions options_;
  MilterReader reader_;
  TextSplitter splitter_;
  std::deque<Command> commands_;  // not sent
  std::string output_;
  MilterResult result_;
  std::string forbidden_;     // change that it asked for; empty: none
  char asked_ = 0;            // the command that an answer is waited for
  bool is_held_ = false;      // it wants that
  bool is_waiting_ = true;    // for an answer
  bool is_skipping_ = false;  // it has seen enough of the body
  bool has_all_text_ = false;
  bool is_over_ = false;
};

}  // namespace postern::mail
