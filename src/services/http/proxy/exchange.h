// SPDX-License-Identifier: BSD-3-Clause
// Exchange: one request of a client and its answer.
//
//   start -> admission -> look-up -+-> stored ------------------> client
//                                  +-> waiting for another's --> look-up
//                                  +-> Transfer ----------------> client (and store)
//         -> Tunnel (CONNECT,      +-> page of our own
//            Upgrade)
//
// It is taken from a pool and goes back there: what it needs for a hit is allocated once. While
// nothing takes time, the request is that of the connection's shared memory; keep() copies it
// before the exchange waits for anything.
//
// Each step ends in exactly one call of the next; end() is the last, after which nothing of the
// exchange may be touched. Calls that come late from stores and names are told from those of the
// exchange's next life by `life_`.
//
// Files: exchange (begin, end, pages), exchange_admission, exchange_lookup, exchange_gate,
// exchange_stored, exchange_live, exchange_tunnel. Thread: control. Bounds: kHeldMax octets wait
// for a client.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/http/proxy/admission.h"
#include "services/http/proxy/client_connection.h"
#include "services/http/proxy/heads.h"
#include "services/http/proxy/outbox.h"
#include "services/http/proxy/parent_connect.h"
#include "services/http/proxy/transfer.h"
#include "services/http/proxy/tunnel.h"
#include "services/http/proxy/upload.h"
#include "services/http/store/store.h"

namespace postern::http {

class Exchange final : public Poller::Mortal,
                       private Transfer::Leader,
                       private Transfer::Waiter,
                       private Tunnel::Owner,
                       private ParentConnect::Owner,
                       private Connector::User {
 public:
  static constexpr size_t kHeldMax = size_t{128} << 10;
  static constexpr int kRoundsMax = 16;
  static constexpr size_t kHeadWaitsMax = 8192;
  static constexpr int kSwitchesMax = 64;

  explicit Exchange(Core& core);
  ~Exchange() override;

  // `request` has been read, not analysed, and lives as long as `head` stays where it is.
  void start(ClientConnection& connection, Request& request, std::string_view head);
  // Of a request that could not be read.
  void refuse(ClientConnection& connection, Refusal refusal);
  void on_client(uint32_t events);
  void on_client_time_out();
  // The client is gone without us.
  void abandon();
  // A tunnel that would not be permitted now ends; it may end the exchange.
  void judge_again();

 private:
  enum class Stage : uint8_t {
    idle,
    asking,   // somebody has been asked: names, passwords, the store
    waiting,  // for the transfer of another
    live,     // a transfer of ours
    stored,   // from the store
    page,     // a text of ours
    tunnel,
  };
  // Octets of the stored object that are still to be sent, after `before`.
  struct Part {
    std::string before;
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  // exchange.cc
  void reset();
  void keep();
  void begin();
  bool is_misdirected() const;
  bool answer_here();
  bool is_pac_request() const;
  void send_pac();
  void answer_max_forwards();
  void show(Problem problem, std::string_view detail = {});
  void send_page(unsigned status, std::string_view reason, std::string_view extra,
                 std::string_view body);
  void flush_page();
  void end(bool is_complete);
  void lose_client();
  void drop_all();
  void log(bool is_complete);
  std::string_view url_text() const;
  bool is_head() const { return request_->is("HEAD"); }

  // exchange_admission.cc
  void identify();
  void check_password(std::string_view header);
  void on_password_checked(const LoginAnswer& answer);
  void admit_client();
  void deny(const Admission& admission);
  void count_denied();
  void remember_rule(const Admission& admission);
  void check_target();
  void check_original();
  void on_original_known(bool is_its);
  Destination destination() const;

  // exchange_lookup.cc
  void look_up();
  void take_rules();
  bool find(std::string_view variant);
  void on_found(std::unique_ptr<StoredObject> object);
  void examine();
  bool read_entry();
  void take_course();
  Found describe_found(StoredFacts& facts, OctetSet& held) const;
  bool may_join() const;
  void join();
  void fetch_missing(const std::vector<Octets>& missing);
  void serve_parts();
  void miss();
  void forward();
  void validate();
  void refresh_behind();
  std::string pending_key() const;
  bool wait_for_other(const std::string& pending);
  void on_transfer_known() override;
  TransferOrder order(const std::string& pending);

  // exchange_gate.cc
  Problem judge_origin(Ipv4Address origin) const;
  bool is_open_to(const StoredObject& object) const;
  void ask_origin();
  void pass_by();
  void refuse_stored(Problem problem);

  // exchange_stored.cc
  void serve_stored();
  bool plan_parts(uint64_t length, StoredHead& head);
  void pump_stored();
  bool is_blocked_behind_head() const;
  bool pump_part();
  bool send_octets(Part& part);
  bool seek(uint64_t offset);
  bool switch_source(uint64_t offset);
  StoredObject& source() { return is_in_gap_ ? *gap_ : *object_; }
  bool send_extent(Part& part);
  bool wait_for_store();
  void stored_failed();

  // exchange_live.cc
  void fetch();
  void begin_transfer(TransferOrder order);
  void drop_transfer();
  void pump_upload();
  void refuse_upload();
  void pump_live();
  void write_trailer(const Fields& trailer);
  void on_interim(const ResponseHead& head) override;
  bool prefers_stored(unsigned status) override;
  void on_response(const ResponseHead& head, const Framing& framing) override;
  void on_validated(const std::string& entry) override;
  bool on_body(std::string_view data) override;
  void on_body_pause() override;
  bool on_detach() override;
  void on_body_end(bool is_complete, const Fields& trailer) override;
  void on_failure(Problem problem, const std::string& detail) override;
  void on_upload_room() override;
  void on_upgrade(const ResponseHead& head, std::unique_ptr<UpstreamConnection> connection,
                  const std::string& early) override;

  // exchange_tunnel.cc
  void connect();
  void on_connected(std::unique_ptr<UpstreamConnection> connection) override;
  void on_no_connection(Problem problem, const std::string& detail) override;
  void on_tunnel_open(std::unique_ptr<UpstreamConnection> connection,
                      const std::string& early) override;
  void on_tunnel_refused(Problem problem, const std::string& detail) override;
  void on_tunnel_end(std::string_view why) override;
  void on_tunnel_life() override;
  bool asks_upgrade() const;
  void identify_again();
  Problem judge_tunnel();
  void begin_tunnel(std::unique_ptr<UpstreamConnection> connection);

  bool is_blocked() const { return !out_.empty(); }
  bool flush();

  Core& core_;
  ClientConnection* connection_ = nullptr;
  Stage stage_ = Stage::idle;
  uint64_t life_ = 0;

  Request* request_ = nullptr;
  std::string_view head_;               // octets of the request that is not kept yet
  std::shared_ptr<Request> kept_;       // shared with the Transfer
  const Identity* identity_ = nullptr;  // of the seam: valid while nothing waits
  Identity known_;                      // a copy of it
  bool is_by_password_ = false;         // that it is known
  bool may_use_store_ = false;
  bool is_host_believed_ = true;  // the key is that of the server
  bool is_asking_ = false;        // within Seams::check_password
  bool has_answer_ = false;
  uint32_t busy_s_ = 0;  // not 0: nobody could look at the password
  StoreRules keep_;      // for this URL
  ServeRules serve_;     // for this URL

  Outbox out_;
  Delivery delivery_;
  ResponseNotes notes_;
  CacheResult result_ = CacheResult::none;

  // The store.
  std::unique_ptr<StoredObject> object_;
  std::unique_ptr<StoredObject> gap_;  // the fill that has what object_ has not, in its place
  uint64_t gap_begin_ = 0;
  uint64_t gap_end_ = UINT64_MAX;  // where it had no more
  bool is_in_gap_ = false;
  int switches_ = 0;
  std::string entry_octets_;  // in place of the object's metadata, after a validation
  Entry entry_;
  std::string variant_;
  Decision decision_;
  std::vector<Part> parts_;  // from part_ on not sent
  size_t part_ = 0;
  std::string tail_;  // behind the last part
  std::string range_text_;
  std::string type_text_;
  bool is_finding_ = false;
  bool has_found_ = false;
  bool looks_for_fill_ = false;
  bool has_waited_ = false;
  bool has_tried_parts_ = false;
  bool has_parts_ = false;  // object_ is served though it is not whole
  bool is_store_waiting_ = false;
  bool is_unbounded_ = false;  // the length of what is read is not known

  // Upstream.
  Transfer* transfer_ = nullptr;  // ours, as its leader
  Transfer* awaited_ = nullptr;   // another's
  Upload upload_;
  bool is_over_upstream_ = false;  // the body is whole in out_, or never will be
  bool is_cut_short_ = false;
  bool has_trailer_ = false;    // goes on to the client
  bool has_head_gone_ = false;  // some of it, to the client
  Peer upstream_;
  Connector connector_;
  std::unique_ptr<ParentConnect> parent_;
  std::unique_ptr<Tunnel> tunnel_;
  Ipv4Address tunnel_origin_;  // as Connector::origin()

  // For the log.
  unsigned status_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t request_bytes_ = 0;
  Instant started_;
  Duration upstream_wait_;
  bool is_stored_ = false;
  std::string detail_;
  bool is_denied_ = false;
  std::string rule_;  // its name: by then the settings may have other rules
};

// Exchanges that are not used, for the next requests.
class ExchangePool {
 public:
  static constexpr size_t kSpareMax = 256;
  explicit ExchangePool(Core& core) : core_(core) {}
  std::unique_ptr<Exchange> get();
  // It is not given out again before the turn is over: somebody may be in one of its calls.
  void put(std::unique_ptr<Exchange> exchange);
  void end_turn();

 private:
  Core& core_;
  std::vector<std::unique_ptr<Exchange>> spare_;
  std::vector<std::unique_ptr<Exchange>> resting_;
};

}  // namespace postern::http
