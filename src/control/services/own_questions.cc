// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_questions.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

namespace postern {
namespace {

constexpr size_t kQuestionFixed = 4;  // type and class
constexpr size_t kIpv4Bytes = 4;
constexpr size_t kPreferenceBytes = 2;

Error broken() {
  return {ErrorCode::failed, "the name servers did not answer"};
}

// Where the records of a good answer begin.
Result<size_t> begin_of_records(dns::Bytes message) {
  if (message.size() < dns::kHeaderBytes) return broken();
  const dns::Header header = dns::read_header(message);
  if (header.rcode() == dns::rcode::name_error)
    return Error{ErrorCode::not_found, "there is no such name"};
  if (header.rcode() != dns::rcode::no_error || header.questions != 1) return broken();
  const auto question = dns::skip_name(message, dns::kHeaderBytes);
  if (!question || *question + kQuestionFixed > message.size()) return broken();
  return *question + kQuestionFixed;
}

// Told on a later turn, with what `read` finds in the answer.
template <typename Value>
auto teller(boost::asio::io_context& context,
            const std::function<void(const Result<Value>& value)>& found,
            Result<Value> (*read)(dns::Bytes message)) {
  return [&context, found, read](const Result<dns::Bytes>& message) {
    Result<Value> value = message ? read(*message) : Result<Value>(message.error());
    boost::asio::post(context, [found, value = std::move(value)] { found(value); });
  };
}

}  // namespace

OwnQuestions::~OwnQuestions() {
  for (const auto& [number, taken] : questions_)
    taken(Error{ErrorCode::unavailable, "the DNS service ends"});
}

void OwnQuestions::ask(const dns::Name& name, const Found& found) {
  ask(name, dns::type::a, teller<Addresses>(context_, found, addresses_of_answer));
}

void OwnQuestions::ask_mail_hosts(const dns::Name& domain, const HostsFound& found) {
  ask(domain, dns::type::mx, teller<MailHosts>(context_, found, mail_hosts_of_answer));
}

void OwnQuestions::ask(const dns::Name& name, uint16_t type, Taken taken) {
  if (questions_.size() >= kQuestionsMax) {
    return taken(Error{ErrorCode::exhausted, "too many names are asked for at once"});
  }
  // One that is still under way after 2^31 others would have been answered long ago.
  last_ = last_ == UINT32_MAX ? kFirstNumber : last_ + 1;
  const uint32_t number = last_;
  questions_[number] = std::move(taken);
  std::array<uint8_t, dns::kHeaderBytes + dns::kNameBytesMax + kQuestionFixed> room;
  dns::Writer writer(room);
  dns::Header header;
  header.id = static_cast<uint16_t>(number);
  header.flags = dns::flag::rd;
  header.questions = 1;
  writer.header(header);
  writer.bytes(name.wire());
  writer.u16(type);
  writer.u16(dns::kClassIn);
  service_.ask_own(number, writer.written());
}

void OwnQuestions::take(uint32_t number, dns::Bytes message) {
  const auto question = questions_.extract(number);
  if (question) question.mapped()(message);
}

Result<OwnQuestions::Addresses> addresses_of_answer(dns::Bytes message) {
  const auto begin = begin_of_records(message);
  if (!begin) return begin.error();
  OwnQuestions::Addresses addresses;
  dns::RecordWalk walk(message, *begin);
  for (dns::Record record; walk.next(record);) {
    const bool is_address = record.section == dns::MessageSection::answer &&
                            record.type == dns::type::a && record.data_bytes() == kIpv4Bytes;
    if (is_address && addresses.size() < OwnQuestions::kAddressesMax)
      addresses.emplace_back(dns::get32(message, record.data));
  }
  if (addresses.empty()) return Error{ErrorCode::not_found, "the name has no IPv4 address"};
  return addresses;
}

Result<OwnQuestions::MailHosts> mail_hosts_of_answer(dns::Bytes message) {
  const auto begin = begin_of_records(message);
  if (!begin) return begin.error();
  OwnQuestions::MailHosts hosts;
  dns::RecordWalk walk(message, *begin);
  for (dns::Record record; walk.next(record);) {
    const bool is_host = record.section == dns::MessageSection::answer &&
                         record.type == dns::type::mx && record.data_bytes() > kPreferenceBytes;
    dns::Name name;
    if (!is_host || hosts.size() >= OwnQuestions::kMailHostsMax ||
        !dns::read_name(message, record.data + kPreferenceBytes, name))
      continue;
    std::string text = dns::to_text(name);
    hosts.push_back({dns::get16(message, record.data), text == "." ? std::string() : text});
  }
  return hosts;
}

}  // namespace postern
