// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/fetch/dialer.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace postern::mail {

Dialer::Dialer(boost::asio::io_context& context, const Seams& seams, Server server, Then then)
    : context_(context),
      seams_(seams),
      server_(std::move(server)),
      then_(std::move(then)),
      asked_at_(seams.now()),
      question_(std::make_shared<int>(0)) {
  boost::asio::post(context_, [this, question = std::weak_ptr<int>(question_)] {
    if (!question.expired()) look_up();
  });
}

void Dialer::look_up() {
  if (const auto address = parse_ipv4(server_.host)) return connect({*address});
  seams_.resolve(server_.host, [this, question = std::weak_ptr<int>(question_)](
                                   const Result<Seams::Addresses>& addresses) {
    if (question.expired()) return;
    if (!addresses) return fail(addresses.error().text);
    connect(*addresses);
  });
}

void Dialer::connect(std::vector<Ipv4Address> addresses) {
  question_.reset();
  connector_ = std::make_unique<Connector>(context_, std::move(addresses), server_.port, kConnect,
                                           [this](const Result<int>& fd, Ipv4Address address) {
                                             if (!fd) return fail(fd.error().text);
                                             const Then then = std::move(then_);
                                             then(Reached{Stream::take(context_, *fd), address});
                                           });
}

void Dialer::fail(const std::string& why) {
  question_.reset();
  const Then then = std::move(then_);
  then(Error{ErrorCode::unavailable, server_.host + ": " + why});
}

void Dialer::tick() {
  if (question_ && asked_at_ + kLookUp <= seams_.now()) fail("its address is not told");
}

}  // namespace postern::mail
