// SPDX-License-Identifier: BSD-3-Clause
// The handshake of the remote administration and the channel that it leads to, without a socket:
// octets in, octets out. doc/remote-protocol.md describes it and says what it protects from.
//
//   client                                     server
//   hello: version, ephemeral key        ->
//                                        <-    hello: version, ephemeral key, its own key,
//                                              signature over the transcript; stream header
//   stream header; log-in record         ->                                        (sealed from
//   here)
//                                        <-    verdict record
//   requests, the end                    <->   responses, the end
//
// Both sides read exactly wanted() octets at a time and hand them to take(). A side that has seen
// something wrong is `broken` and takes nothing more. Bounds: fixed sizes until the log-in, one
// record for it, kRequestMax and kResponseMax after it. Thread: any; pure but for randomness.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/remote/channel/keys.h"
#include "control/remote/channel/records.h"

namespace postern::remote {

constexpr uint16_t kDefaultPort = 44333;
constexpr uint8_t kVersion = 1;
constexpr std::string_view kMagic = "postern-remote/";  // the version follows
constexpr size_t kHelloHead = 16;
constexpr size_t kClientHello = kHelloHead + 32;
// Head, ephemeral key, own key; then a signature, which the transcript has not.
constexpr size_t kServerHelloSigned = kHelloHead + 32 + 32;
constexpr size_t kServerHello = kServerHelloSigned + 64;
constexpr size_t kNameMax = 64, kPasswordMax = 512;  // octets
constexpr size_t kLogInClass = 1;  // of the log-in record, whichever way one logs in

static_assert(kMagic.size() + 1 == kHelloHead);

using Transcript = std::array<uint8_t, 64>;

enum class Method : uint8_t { key = 1, password = 2 };

// What somebody says to be, with a key as far as the signature proves it.
struct LogIn {
  Method method = Method::key;
  std::string name;  // with a key: may be empty
  PublicKey key = {};
  std::string password;

  LogIn() = default;
  LogIn(LogIn&&) = default;
  LogIn& operator=(LogIn&&) = default;
  ~LogIn() { wipe(password); }
};

enum class Verdict : uint8_t {
  welcome = 0,
  denied = 1,  // whatever was wrong
  later = 2,   // too many attempts: not now
};

// Shared by the hellos of both sides.
struct KeyExchange {
  PublicKey own_public = {};
  Secret<32> own_secret;

  KeyExchange();  // fresh
};

// Sealed both ways.
struct Channel {
  Sealer sealer;
  Opener opener;
};

class ServerSide {
 public:
  enum class Step {
    more,
    log_in,   // log_in() says who; wanted() is 0 until decide()
    message,  // text() is a request
    ended,    // by the client; our end is in out()
    broken,
  };
  explicit ServerSide(const SigningKey& key) : key_(key) {}

  size_t wanted() const;
  Step take(Bytes octets);
  // What is to be sent by now; the caller takes it away.
  Buffer& out() { return out_; }

  LogIn& log_in() { return log_in_; }
  // Whoever is not welcome is told so, and that is the end.
  void decide(Verdict verdict);
  std::string& text() { return channel_->opener.text(); }
  // Appends a part of a response to out(), or the end.
  void send(std::string_view part, bool is_last);
  void send_end();

 private:
  Step take_hello(Bytes octets);
  Step take_log_in();
  bool read_log_in(std::string_view text);
  Step break_off();

  enum class State : uint8_t { hello, log_in, deciding, open, closed };
  const SigningKey& key_;
  State state_ = State::hello;
  Transcript transcript_ = {};
  Secret<32> binding_;
  std::optional<Channel> channel_;
  LogIn log_in_;
  Buffer out_;
};

class ClientSide {
 public:
  enum class Step {
    more,
    hello,    // the server has proved that server_key() is its own: log in, or go away
    verdict,  // see verdict()
    message,  // text() is a response
    ended,
    broken,  // why() says what is wrong
  };
  ClientSide();

  size_t wanted() const;
  Step take(Bytes octets);
  Buffer& out() { return out_; }

  const PublicKey& server_key() const { return server_key_; }
  void log_in(const SigningKey& key, std::string_view name);
  void log_in(std::string_view name, std::string_view password);
  Verdict verdict() const { return verdict_; }
  std::string& text() { return channel_->opener.text(); }
  void send(std::string_view request);
  void send_end();
  const std::string& why() const { return why_; }

 private:
  Step take_head(Bytes octets);
  Step take_hello(Bytes octets);
  Step take_verdict();
  Step break_off(const char* why);
  void send_log_in(std::string& text);

  enum class State : uint8_t { head, hello, choosing, verdict, open, closed };
  State state_ = State::head;
  KeyExchange exchange_;
  Buffer hello_, server_hello_;
  Transcript transcript_ = {};
  Secret<32> binding_;
  PublicKey server_key_ = {};
  std::optional<Channel> channel_;
  Verdict verdict_ = Verdict::denied;
  Buffer out_;
  std::string why_;
};

}  // namespace postern::remote
