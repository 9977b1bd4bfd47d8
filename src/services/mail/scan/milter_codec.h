// SPDX-License-Identifier: BSD-3-Clause
// The packets of the milter protocol, version 6 (include/libmilter/mfdef.h of sendmail 8.17, the
// only text that there is of it), as the side of the mail server writes and reads them.
//
//   length (4 octets, network order; of what follows)  command (1 octet)  data
//
// Strings in the data end in NUL. Bounds: kMilterDataMax octets of data in what is written, as
// libmilter reads no more unless it is told to; kMilterPacketMax in what is read. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

constexpr size_t kMilterDataMax = 65535;
constexpr size_t kMilterPacketMax = size_t{1} << 20;  // a filter could replace a body with that

constexpr uint32_t kMilterVersion = 6;
constexpr uint32_t kMilterVersionMin = 2;

// What we say.
namespace milter_command {
constexpr char kOptions = 'O';
constexpr char kMacros = 'D';
constexpr char kConnect = 'C';
constexpr char kHelo = 'H';
constexpr char kMail = 'M';
constexpr char kRecipient = 'R';
constexpr char kData = 'T';
constexpr char kField = 'L';
constexpr char kEndOfHeader = 'N';
constexpr char kBody = 'B';
constexpr char kEndOfBody = 'E';
constexpr char kQuit = 'Q';
}  // namespace milter_command

// What a milter says.
namespace milter_answer {
constexpr char kProceed = 'c';
constexpr char kAccept = 'a';
constexpr char kReject = 'r';
constexpr char kTryLater = 't';
constexpr char kDiscard = 'd';
constexpr char kReply = 'y';
constexpr char kSkip = 's';
constexpr char kProgress = 'p';
constexpr char kShutdown = '4';
constexpr char kFailConnection = 'f';
constexpr char kAddField = 'h';
constexpr char kInsertField = 'i';
constexpr char kChangeField = 'm';
constexpr char kQuarantine = 'q';
constexpr char kReplaceBody = 'b';
constexpr char kAddRecipient = '+';
constexpr char kAddRecipientWith = '2';  // with ESMTP parameters
constexpr char kRemoveRecipient = '-';
constexpr char kChangeSender = 'e';
}  // namespace milter_answer

// Changes of a message that a milter may be allowed to ask for.
enum MilterChange : uint32_t {
  kMilterAddsFields = 0x01,
  kMilterHolds = 0x20,
};

// Steps that a milter does not want, or does not answer.
enum MilterStep : uint32_t {
  kMilterNoConnect = 0x01,
  kMilterNoHelo = 0x02,
  kMilterNoMail = 0x04,
  kMilterNoRecipient = 0x08,
  kMilterNoBody = 0x10,
  kMilterNoFields = 0x20,
  kMilterNoEndOfHeader = 0x40,
  kMilterMuteField = 0x80,
  kMilterNoUnknown = 0x100,
  kMilterNoData = 0x200,
  kMilterMaySkip = 0x400,
  kMilterWantsRefused = 0x800,  // recipients that the server refused, too; here there are none
  kMilterMuteConnect = 0x1000,
  kMilterMuteHelo = 0x2000,
  kMilterMuteMail = 0x4000,
  kMilterMuteRecipient = 0x8000,
  kMilterMuteData = 0x10000,
  kMilterMuteUnknown = 0x20000,
  kMilterMuteEndOfHeader = 0x40000,
  kMilterMuteBody = 0x80000,
  kMilterKeepsBlanks = 0x100000,  // values of fields come with the blanks before them
};

struct MilterOptions {
  uint32_t version = kMilterVersion;
  uint32_t changes = 0;  // MilterChange bits
  uint32_t steps = 0;    // MilterStep bits
  friend bool operator==(const MilterOptions&, const MilterOptions&) = default;
};

void append_packet(std::string& out, char command, std::string_view data);
void append_options(std::string& out, const MilterOptions& options);
// Version 6 may add a list of macros, which is passed over.
std::optional<MilterOptions> parse_options(std::string_view data);

struct MilterPacket {
  char command = 0;
  std::string_view data;  // until the reader takes more
};

class MilterReader {
 public:
  void take(std::string_view octets);
  // The next packet that is whole, if there is one.
  std::optional<MilterPacket> next();
  // A length that cannot be: nothing is read any more.
  bool is_broken() const { return is_broken_; }

 private:
  std::string held_;
  size_t at_ = 0;  // in it: what is before was given out
  bool is_broken_ = false;
};

// Takes a string from the front of `data` with its NUL; nullopt: there is no NUL.
std::optional<std::string_view> take_string(std::string_view& data);
// The same with 32 bits.
std::optional<uint32_t> take_number(std::string_view& data);

}  // namespace postern::mail
