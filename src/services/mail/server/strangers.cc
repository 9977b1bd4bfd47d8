// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/server/strangers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <utility>

#include "services/io/hash.h"
#include "services/mail/message/address.h"
#include "services/mail/queue/queue_file.h"

namespace postern::mail {
namespace {

constexpr Duration kMinute = seconds(60);

bool write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(fd, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Beside it first, then in its place: whenever power fails, one of the two is whole.
Result<void> replace_file(const std::string& folder, const std::string& path,
                          std::string_view octets) {
  const std::string beside = path + ".new";
  const int fd =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  bool is_whole = fd >= 0 && write_all(fd, octets) && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) is_whole = close(fd) == 0 && is_whole;
  if (!is_whole) return Error{ErrorCode::failed, beside + ": " + std::strerror(error)};
  if (rename(beside.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::failed, path + ": " + std::strerror(errno)};
  return sync_folder(folder);
}

}  // namespace

// Whose lock is held writes: the job of a save, or the end. Thread: any.
class Strangers::File {
 public:
  explicit File(std::string folder) : folder_(std::move(folder)) {}

  std::string path() const { return folder_ + "/greylist"; }
  // After the last one none writes: a job that comes then has what is older.
  Result<void> write(std::string_view octets, bool is_last) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return {};
    is_closed_ = is_last;
    return replace_file(folder_, path(), octets);
  }

 private:
  const std::string folder_;
  std::mutex mutex_;
  bool is_closed_ = false;  // under the mutex
};

Strangers::Strangers(boost::asio::io_context& context, Seams seams, Files files, io::JobPool& jobs)
    : context_(context),
      seams_(std::move(seams)),
      file_(std::make_shared<File>(std::move(files.folder))),
      spf_program_(std::move(files.spf_program)),
      jobs_(jobs),
      messages_(io::random_seed()) {}

Strangers::~Strangers() {
  // Of a save that is not over nobody will know whether it was done.
  if (!greylist_ || (!greylist_->is_changed() && !is_saving_)) return;
  if (const auto done = file_->write(greylist_->encode(), true); !done)
    seams_.warn("greylist: " + done.error().text);
}

void Strangers::follow(const ServerSettings& settings, const std::string& host) {
  host_ = host;
  messages_.set_rate(settings.messages_per_minute, kMinute);
  greylist_settings_ = settings.greylist;
  if (greylist_settings_.is_on && !greylist_) load();
  spf_use_ = settings.spf;
  if (spf_use_ != SpfUse::off && !spf_)
    spf_ = std::make_unique<Spf>(Spf::Parts{context_, spf_program_, {}, seams_.warn});
}

void Strangers::load() {
  greylist_ = std::make_unique<Greylist>();
  save_at_ = seams_.now() + kSaveEvery;
  std::ifstream file(file_->path(), std::ios::binary);
  if (!file) return;  // the first time
  const std::string octets{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!greylist_->decode(octets))
    seams_.warn("greylist: " + file_->path() + " is damaged; strangers have to wait anew");
}

void Strangers::save() {
  is_saving_ = true;
  greylist_->note_saved();
  const auto done = std::make_shared<Result<void>>();
  jobs_.run_surely(
      [octets = greylist_->encode(), file = file_, done] { *done = file->write(octets, false); },
      [this, done, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired()) return;
        is_saving_ = false;
        if (*done) return;
        greylist_->note_unsaved();
        seams_.warn("greylist: " + done->error().text);
      });
}

void Strangers::tick() {
  if (!greylist_ || is_saving_ || seams_.now() < save_at_) return;
  save_at_ = seams_.now() + kSaveEvery;
  if (greylist_->is_changed()) save();
}

Reply Strangers::admit_message(Ipv4Address client) {
  if (messages_.allows(client, seams_.now())) return {};
  return {450, "4.7.1", "Too many messages of your address; come again later"};
}

void Strangers::check_sender(const Envelope& envelope, const Then& then) {
  if (spf_use_ == SpfUse::off) return then({});
  const std::string sender = envelope.sender.is_null() ? "" : to_text(envelope.sender);
  const SpfQuestion question{envelope.client, envelope.helo, sender, host_};
  spf_->check(question, [question, then, use = spf_use_](const SpfAnswer& answer) {
    Sender sender;
    sender.trace = received_spf_field(question, answer);
    // RFC7372-3.2, RFC7208-8.6: the domain does not want it; what cannot be asked now can later.
    if (use == SpfUse::refuse && answer.result == SpfResult::fail) {
      sender.refusal = {550, "5.7.23", "SPF: this host may not send mail of that domain"};
    } else if (use == SpfUse::refuse && answer.result == SpfResult::temperror) {
      sender.refusal = {451, "4.7.24", "SPF: the sender's domain cannot be asked now"};
    }
    then(sender);
  });
}

Reply Strangers::check_recipient(const Envelope& envelope, const Address& recipient) {
  if (!greylist_settings_.is_on) return {};
  const Greylist::Sending sending{envelope.client, envelope.sender, recipient};
  const int64_t wait_s = greylist_->ask(sending, greylist_settings_, seams_.wall_s());
  if (wait_s == 0) return {};
  return {450, "4.7.1", "Greylisted: come again in " + std::to_string(wait_s) + " seconds"};
}

}  // namespace postern::mail
