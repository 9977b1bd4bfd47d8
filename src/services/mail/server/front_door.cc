// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/front_door.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace postern::mail {

FrontDoor::FrontDoor(boost::asio::io_context& context, Take take, Sorry sorry)
    : take_(std::move(take)),
      sorry_(std::move(sorry)),
      listener_(context, [this](const io::ListenAddress& at,
                                const io::TcpListener::Arrival& arrival) { admit(at, arrival); }) {}

Result<void> FrontDoor::follow(const std::vector<io::ListenAddress>& addresses, size_t all,
                               size_t of_one) {
  places_.set_limits(all, of_one);
  return listener_.listen(addresses);
}

void FrontDoor::tick() {
  listener_.tick();
  departures_.sweep();
}

void FrontDoor::leave(std::shared_ptr<Stream> stream, io::Places::Place place) {
  departures_.add(std::move(stream), std::move(place));
}

void FrontDoor::admit(const io::ListenAddress& at, const io::TcpListener::Arrival& arrival) {
  auto place = places_.take(arrival.from);
  if (!place) {
    departures_.sweep();  // who comes and goes quickly is not kept out by those that are gone
    place = places_.take(arrival.from);
  }
  if (!place) return turn_away(arrival.fd, sorry_(at));
  take_(at, arrival, std::move(*place));
}

void FrontDoor::turn_away(int fd, const std::string& line) {
  if (!line.empty()) {
    static_cast<void>(send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    shutdown(fd, SHUT_WR);
  }
  ::close(fd);
}

}  // namespace postern::mail
