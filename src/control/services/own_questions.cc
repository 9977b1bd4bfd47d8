// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_questions.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace postern {
namespace {

constexpr size_t kQuestionFixed = 4;  // type and class
constexpr size_t kIpv4Bytes = 4;

}  // namespace

OwnQuestions::~OwnQuestions() {
  for (const auto& [number, found] : questions_)
    tell_later(found, Error{ErrorCode::unavailable, "the DNS service ends"});
}

void OwnQuestions::tell_later(const Found& found, const Result<Addresses>& addresses) {
  boost::asio::post(context_, [found, addresses] { found(addresses); });
}

void OwnQuestions::ask(const dns::Name& name, const Found& found) {
  if (questions_.size() >= kQuestionsMax) {
    return tell_later(found, Error{ErrorCode::exhausted, "too many names are asked for at once"});
  }
  // One that is still under way after 2^31 others would have been answered long ago.
  last_ = last_ == UINT32_MAX ? kFirstNumber : last_ + 1;
  const uint32_t number = last_;
  questions_[number] = found;
  std::array<uint8_t, dns::kHeaderBytes + dns::kNameBytesMax + kQuestionFixed> room;
  dns::Writer writer(room);
  dns::Header header;
  header.id = static_cast<uint16_t>(number);
  header.flags = dns::flag::rd;
  header.questions = 1;
  writer.header(header);
  writer.bytes(name.wire());
  writer.u16(dns::type::a);
  writer.u16(dns::kClassIn);
  service_.ask_own(number, writer.written());
}

void OwnQuestions::take(uint32_t number, dns::Bytes message) {
  auto question = questions_.extract(number);
  if (question) tell_later(question.mapped(), addresses_of_answer(message));
}

Result<OwnQuestions::Addresses> addresses_of_answer(dns::Bytes message) {
  const Error broken{ErrorCode::failed, "the name servers did not answer"};
  if (message.size() < dns::kHeaderBytes) return broken;
  const dns::Header header = dns::read_header(message);
  if (header.rcode() == dns::rcode::name_error)
    return Error{ErrorCode::not_found, "there is no such name"};
  if (header.rcode() != dns::rcode::no_error || header.questions != 1) return broken;
  const auto question = dns::skip_name(message, dns::kHeaderBytes);
  if (!question || *question + kQuestionFixed > message.size()) return broken;
  OwnQuestions::Addresses addresses;
  dns::RecordWalk walk(message, *question + kQuestionFixed);
  for (dns::Record record; walk.next(record);) {
    const bool is_address = record.section == dns::MessageSection::answer &&
                            record.type == dns::type::a && record.data_bytes() == kIpv4Bytes;
    if (is_address && addresses.size() < OwnQuestions::kAddressesMax)
      addresses.emplace_back(dns::get32(message, record.data));
  }
  if (addresses.empty()) return Error{ErrorCode::not_found, "the name has no IPv4 address"};
  return addresses;
}

}  // namespace postern
