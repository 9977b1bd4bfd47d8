// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any octets as what a milter says; the first two choose the message. At once or octet
// by octet the outcome is the same; what is said to it are whole packets within their bounds; what
// it adds are fields that end no header. And any octets as the text of a message: all of it comes
// out of the splitter, in any pieces the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "services/mail/message/header.h"
#include "services/mail/scan/milter_session.h"

namespace mail = postern::mail;

namespace {

struct Story {
  std::string said;
  mail::MilterResult result;
  bool is_over = false;
};

// Fields that a milter adds, put before a message, are read as fields again, and nothing else.
void demand_fields(const std::string& added) {
  POSTERN_ASSERT(added.size() <= mail::MilterSession::kAddedMax);
  mail::HeaderScanner scanner({1 << 20, 100'000});
  scanner.feed(added);
  POSTERN_ASSERT(scanner.length() == added.size() || !scanner.is_done());
  POSTERN_ASSERT(!scanner.is_done());
  POSTERN_ASSERT(added.empty() || added.ends_with("\r\n"));
}

void say(mail::MilterSession& session, std::string_view& text, Story& story) {
  for (;;) {
    std::string output = session.take_output();
    if (!output.empty()) {
      story.said += output;
    } else if (session.wants_text() && !text.empty()) {
      session.text(text.substr(0, 100));
      text.remove_prefix(std::min<size_t>(text.size(), 100));
    } else if (session.wants_text()) {
      session.text_is_over();
    } else {
      return;
    }
  }
}

Story talk(std::string_view octets, std::string_view text, size_t step, uint8_t choice) {
  const std::string host = "gw.example", id = "abc";
  mail::Envelope envelope;
  envelope.sender = {"joe", "a.example"};
  envelope.recipients.resize(choice % 4, {{"ann", "b.example"}, 0, {}});
  if (choice % 2 != 0) envelope.client = postern::Ipv4Address(192, 0, 2, 7);
  mail::MilterSession session({host, id, envelope});
  Story story;
  say(session, text, story);
  while (!octets.empty() && !session.is_over()) {
    session.take(octets.substr(0, step));
    octets.remove_prefix(std::min(octets.size(), step));
    say(session, text, story);
  }
  story.is_over = session.is_over();
  story.result = session.result();
  mail::MilterReader reader;
  size_t total = 0;
  for (std::string_view rest = story.said; !rest.empty();
       rest.remove_prefix(std::min<size_t>(rest.size(), 4096))) {
    reader.take(rest.substr(0, 4096));
    while (const auto packet = reader.next())
      total += packet->data.size() + 5;
  }
  POSTERN_ASSERT(total == story.said.size());
  demand_fields(story.result.added);
  return story;
}

void demand_same(const Story& whole, const Story& pieces) {
  POSTERN_ASSERT(whole.is_over == pieces.is_over);
  POSTERN_ASSERT(whole.said == pieces.said || whole.result.kind == mail::MilterResult::Kind::fault);
  POSTERN_ASSERT(whole.result.kind == pieces.result.kind);
  POSTERN_ASSERT(whole.result.why == pieces.result.why);
  POSTERN_ASSERT(whole.result.added == pieces.result.added);
  POSTERN_ASSERT(whole.result.reply.code == pieces.result.reply.code);
}

struct Sink : mail::TextSplitter::Sink {
  std::string told, text;
  size_t octets = 0;
  void field(std::string_view name, std::string_view value) override {
    POSTERN_ASSERT(!name.empty() && name.size() + value.size() <= 50);
    told += name;
    told += value;
    told += '|';
    octets += value.size();
  }
  void end_of_header() override { told += "\n"; }
  void body(std::string_view octets_of) override { text += octets_of; }
};

Sink split(std::string_view text, size_t step) {
  Sink sink;
  mail::TextSplitter splitter(50);
  for (size_t at = 0; at < text.size(); at += step)
    splitter.feed(text.substr(at, step), sink);
  splitter.finish(sink);
  return sink;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t middle = octets.size() * data[0] / 255;
  const std::string_view text = octets.substr(0, middle), answers = octets.substr(middle);
  const Story whole = talk(answers, text, SIZE_MAX, data[1]);
  const Story pieces = talk(answers, text, 1, data[1]);
  // Answers that come before their questions are told from others only where they come at once.
  if (whole.result.why != "it spoke out of turn") demand_same(whole, pieces);

  const Sink at_once = split(octets, SIZE_MAX);
  const Sink slowly = split(octets, 1 + data[0]);
  POSTERN_ASSERT(at_once.told == slowly.told);
  POSTERN_ASSERT(at_once.text == slowly.text);
  return 0;
}
