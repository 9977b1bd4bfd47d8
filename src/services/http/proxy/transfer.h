// SPDX-License-Identifier: BSD-3-Clause
// Transfer: one response on its way from an origin: to the client that asked (the leader), and into
// the store where the rules let it, from where others read along.
//
//   Fetch -> Transfer -> leader             octet by octet, held up by it
//                     -> StoreWriter -> StoredObjects of others (Store::find_fill)
//
// The store can fail at any time: the leader does not notice (C19). A leader that is slow holds up
// the others only while there are none: else it is told to read from the store, too. A leader that
// leaves ends the transfer, unless others read along or the office wants it finished.
//
// Requests for the same thing that come before the head of the response is there wait for it
// (waiters), then look into the store again: that is the collapsing of requests.
//
// Thread: control. Owned by TransferTable. Bounds: those of Fetch; kWaitersMax waiters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "services/http/proxy/entry.h"
#include "services/http/proxy/fetch.h"
#include "services/http/proxy/request.h"
#include "services/http/proxy/wheel.h"
#include "services/http/rules/conditional.h"
#include "services/http/store/store.h"

namespace postern::http {

// What is asked of an origin, and what for.
struct TransferOrder {
  std::shared_ptr<Request> request;  // shared with the exchange, which may end before or after
  Fetch::Question question;
  std::string pending_key;    // under which others find it; empty: they do not
  StoreRules keep;            // for its URL
  bool may_store = false;     // the key is to be trusted
  bool is_for_store = false;  // wanted also without a leader
  // Validation of what is stored under `variant` with these metadata; empty: none.
  std::string variant;
  std::string stored;
  std::optional<uint64_t> stored_length;
  Condition condition;
  std::string plain_head;  // of the request without the condition
  bool asks_part = false;  // octets that are missing, whatever the client asked for
};

class Transfer : public Poller::Mortal, private Fetch::User, private Timed {
 public:
  static constexpr size_t kWaitersMax = 4096;
  static constexpr uint32_t kDiskPatienceS = 2;

  class Leader {
   public:
    virtual ~Leader() = default;
    virtual void on_interim(const ResponseHead& head) = 0;
    // True: instead of this failure it serves what is stored, and has left the transfer.
    virtual bool prefers_stored(unsigned status) = 0;
    virtual void on_response(const ResponseHead& head, const Framing& framing) = 0;
    // What is stored has been validated: `entry` are its metadata now. The transfer has ended.
    virtual void on_validated(const std::string& entry) = 0;
    // False: there is no room, until Transfer::resume().
    virtual bool on_body(std::string_view data) = 0;
    virtual void on_body_pause() = 0;
    // The rest is to be read from the store. False: it does not go.
    virtual bool on_detach() = 0;
    virtual void on_body_end(bool is_complete, const Fields& trailer) = 0;
    virtual void on_failure(Problem problem, const std::string& detail) = 0;
    virtual void on_upload_room() = 0;
    // See Fetch::User.
    virtual void on_upgrade(const ResponseHead& head,
                            std::unique_ptr<UpstreamConnection> connection,
                            const std::string& early) = 0;
  };
  class Waiter {
   public:
    virtual ~Waiter() = default;
    // The head of the response is there, or none will come.
    virtual void on_transfer_known() = 0;
  };

  Transfer(Core& core, TransferOrder order, Leader* leader);
  ~Transfer() override;

  void start();
  void resume();
  // The leader is interested no more; it is not called again.
  void leave();
  // Others read along, perhaps: a leader that holds them up gives way.
  void reconsider();
  bool add_waiter(Waiter& waiter);
  void remove_waiter(const Waiter& waiter);

  OriginFetch& fetch() { return *fetch_; }
  bool is_storing() const { return writer_ != nullptr && !writer_->is_over(); }
  Duration wait() const { return wait_; }  // for the head
  // What is being stored, and where in the object its first octet lies.
  std::unique_ptr<StoredObject> read_along() { return writer_->read_along(); }
  uint64_t first_octet() const { return first_octet_; }

 private:
  void on_interim(const ResponseHead& head) override;
  void on_head(const ResponseHead& head, const Framing& framing) override;
  bool on_data(std::string_view data) override;
  void on_pause() override;
  void on_end(bool is_complete) override;
  void on_failure(Problem problem, const std::string& detail) override;
  void on_upload_room() override;
  void on_upgrade(const ResponseHead& head, std::unique_ptr<UpstreamConnection> connection,
                  const std::string& early) override;
  void on_time_out() override;  // of the disk

  bool take_not_modified(const ResponseHead& head);
  void ask_again();
  void begin_storing(const ResponseHead& head, const Framing& framing);
  StoreRefusal try_storing(const ResponseHead& head, const Framing& framing);
  void drop_validated(unsigned status, StoreRefusal refusal);
  std::string freshen(const Entry& entry, const Fields& fields);
  void begin_fill(Entry& entry, const Fields& fields, const Framing& framing);
  void put_signpost(const std::string& names);
  void invalidate(const ResponseHead& head);
  void take_head_answer(const ResponseHead& head);
  void store_data(std::string_view data);
  void go_on();
  bool has_purpose() const;
  void wake_waiters();
  void finish(bool is_complete);

  Core& core_;
  TransferOrder order_;
  Leader* leader_;
  std::unique_ptr<OriginFetch> fetch_;
  std::unique_ptr<StoreWriter> writer_;
  std::vector<Waiter*> waiters_;
  Instant started_;
  int64_t started_s_ = 0;
  Duration wait_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for calls that come late
  bool is_finished_ = false;
  bool keeps_part_ = false;
  bool leader_is_full_ = false;
  bool store_is_full_ = false;
  bool has_waited_for_disk_ = false;  // in vain: it is not waited for again
  uint64_t first_octet_ = 0;          // of what is stored
  uint64_t alone_bytes_ = 0;          // that came since the last client left
};

// All transfers, and those that others may wait for. It remembers for a while which responses were
// not for sharing: nobody waits for the next of those.
//
// Bounds: kLonersMax places for what is remembered, newer in the place of older.
class TransferTable {
 public:
  static constexpr size_t kLonersMax = 4096;
  static constexpr int64_t kLonerS = 60;

  explicit TransferTable(Core& core) : core_(core) {}

  Transfer& add(TransferOrder order, Transfer::Leader* leader);
  Transfer* find_pending(std::string_view key) const;
  void forget_pending(const std::string& key, const Transfer& transfer);
  // Of those that fill the store: somebody reads along what they bring for the URL.
  void add_filling(const std::string& key, Transfer& transfer) { filling_.emplace(key, &transfer); }
  void forget_filling(const std::string& key, const Transfer& transfer);
  void note_reader(const std::string& key);
  void remove(Transfer& transfer);
  void clear();
  void remember_loner(std::string_view key);
  bool is_loner(std::string_view key) const;
  size_t size() const { return transfers_.size(); }

 private:
  Core& core_;
  std::unordered_map<const Transfer*, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<std::string, Transfer*> pending_;
  std::unordered_multimap<std::string, Transfer*> filling_;  // by URL
  struct Loner {
    size_t hash = 0;
    int64_t until_s = 0;
  };
  std::vector<Loner> loners_ = std::vector<Loner>(kLonersMax);
};

}  // namespace postern::http
