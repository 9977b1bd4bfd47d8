// SPDX-License-Identifier: BSD-3-Clause
#include "services/mail/queue/queue_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>

namespace postern::mail {
namespace {

constexpr size_t kBatchMax = 512;  // jobs of a transaction

bool write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(fd, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Whether what it says has happened outside: then it is not to be forgotten.
bool is_kept(const QueueJob& job) {
  return std::holds_alternative<QueueJob::Change>(job.work) ||
         std::holds_alternative<QueueJob::Hold>(job.work) ||
         std::holds_alternative<QueueJob::Scanned>(job.work) ||
         std::holds_alternative<QueueJob::Replace>(job.work) ||
         std::holds_alternative<QueueJob::Remove>(job.work);
}

bool is_written(const QueueJob& job) {
  return is_kept(job) || std::holds_alternative<QueueJob::Put>(job.work);
}

}  // namespace

QueueWriter::QueueWriter(std::unique_ptr<QueueFile> file, Post post,
                         std::function<void(const std::string& line)> on_trouble)
    : file_(std::move(file)), post_(std::move(post)), on_trouble_(std::move(on_trouble)) {
  thread_ = std::thread([this] { run(); });
}

QueueWriter::~QueueWriter() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  news_.notify_one();
  thread_.join();
}

void QueueWriter::add(QueueJob job) {
  if (const auto* text = std::get_if<QueueJob::Text>(&job.work))
    waiting_octets_ += text->octets.size();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  news_.notify_one();
}

void QueueWriter::run() {
  pthread_setname_np(pthread_self(), "mail-queue");
  Batch batch;
  while (wait_for_work(batch)) {
    work(batch);
    batch.clear();
  }
}

// False: the end, with nothing left to do.
bool QueueWriter::wait_for_work(Batch& batch) {
  std::unique_lock lock(mutex_);
  if (is_retry_) {
    news_.wait_for(lock, std::chrono::nanoseconds(kRetry.ns), [this] { return is_ending_; });
  } else {
    news_.wait(lock, [this] { return is_ending_ || !jobs_.empty(); });
  }
  // A disk that refuses has had its last chance.
  if (is_ending_ && (jobs_.empty() || is_retry_)) return false;
  while (!jobs_.empty() && batch.size() < kBatchMax) {
    batch.push_back({std::move(jobs_.front()), {}});
    jobs_.pop_front();
  }
  return true;
}

void QueueWriter::work(Batch& batch) {
  for (const Item& item : batch) {
    if (const auto* text = std::get_if<QueueJob::Text>(&item.job.work)) write_text(*text);
    if (const auto* drop = std::get_if<QueueJob::Drop>(&item.job.work)) {
      unlink(file_->path_of(drop->number).c_str());
      spoiled_.erase(drop->number);
    }
  }
  sync_texts(batch);
  if (auto done = commit(batch); !done) {
    for (Item& item : batch) {
      if (is_written(item.job) && item.done) item.done = done;
    }
  }
  clean(batch);
  conclude(batch);
}

void QueueWriter::write_text(const QueueJob::Text& text) {
  const int fd = ::open(file_->path_of(text.number).c_str(),
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  bool is_whole = fd >= 0 && write_all(fd, text.octets);
  if (fd >= 0) is_whole = close(fd) == 0 && is_whole;
  if (!is_whole) spoiled_.insert(text.number);
  waiting_octets_ -= text.octets.size();
}

// The long texts of messages that are to be put; one that is not whole fails its message alone.
void QueueWriter::sync_texts(Batch& batch) {
  bool has_new = false;
  for (Item& item : batch) {
    const auto* put = std::get_if<QueueJob::Put>(&item.job.work);
    if (put == nullptr || put->text) continue;
    item.done = sync_text(put->message);
    has_new = true;
  }
  if (!has_new) return;
  const auto synced = sync_folder(file_->folder() + "/texts");
  if (synced) return;
  for (Item& item : batch) {
    const auto* put = std::get_if<QueueJob::Put>(&item.job.work);
    if (put != nullptr && !put->text) item.done = synced;
  }
}

Result<void> QueueWriter::sync_text(const QueuedMessage& message) {
  const std::string path = file_->path_of(message.number);
  const Error fault{ErrorCode::failed, path + ": the text could not be written whole"};
  if (spoiled_.count(message.number) != 0) return fault;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fault;
  struct stat facts = {};
  const bool is_whole = fsync(fd) == 0 && fstat(fd, &facts) == 0 &&
                        static_cast<uint64_t>(facts.st_size) == message.octets;
  close(fd);
  if (!is_whole) return fault;
  return {};
}

Result<void> QueueWriter::write(const QueueJob& job) {
  if (const auto* put = std::get_if<QueueJob::Put>(&job.work))
    return file_->put(put->message, put->text.get());
  if (const auto* change = std::get_if<QueueJob::Change>(&job.work))
    return file_->change(change->number, change->changes);
  if (const auto* hold = std::get_if<QueueJob::Hold>(&job.work))
    return file_->hold(hold->number, hold->held_by);
  if (const auto* scanned = std::get_if<QueueJob::Scanned>(&job.work))
    return file_->scanned(scanned->number, scanned->front, scanned->held_by);
  if (const auto* replace = std::get_if<QueueJob::Replace>(&job.work))
    return file_->replace(replace->message);
  if (const auto* gone = std::get_if<QueueJob::Remove>(&job.work))
    return file_->remove(gone->number);
  return {};
}

Result<void> QueueWriter::commit(const Batch& batch) {
  const auto is_wanted = [](const Item& item) { return is_written(item.job) && item.done; };
  if (std::none_of(batch.begin(), batch.end(), is_wanted)) return {};
  if (auto begun = file_->begin(); !begun) return begun;
  Result<void> done;
  for (const Item& item : batch) {
    if (is_wanted(item)) done = write(item.job);
    if (!done) break;
  }
  if (done) done = file_->commit();
  if (done) {
    ++commits_;
  } else {
    file_->roll_back();
  }
  return done;
}

// Files of what is gone or was refused; and the texts that somebody asked for.
void QueueWriter::clean(const Batch& batch) {
  for (const Item& item : batch) {
    const auto* gone = std::get_if<QueueJob::Remove>(&item.job.work);
    if (gone != nullptr && gone->has_file && item.done)
      unlink(file_->path_of(gone->number).c_str());
    const auto* put = std::get_if<QueueJob::Put>(&item.job.work);
    if (put != nullptr && !put->text && !item.done) {
      unlink(file_->path_of(put->message.number).c_str());
      spoiled_.erase(put->message.number);
    }
    const auto* read = std::get_if<QueueJob::Read>(&item.job.work);
    if (read == nullptr) continue;
    if (auto text = file_->text_of(read->number)) *read->text = std::move(*text);
  }
}

void QueueWriter::conclude(Batch& batch) {
  auto told = std::make_shared<Batch>();
  std::vector<QueueJob> kept;
  Result<void> done;
  bool was_tried = false;
  for (Item& item : batch) {
    if (is_written(item.job)) was_tried = true;
    if (!item.done) done = item.done;
    if (!item.done && is_kept(item.job)) {
      kept.push_back(std::move(item.job));
    } else if (item.job.then) {
      told->push_back(std::move(item));
    }
  }
  bool is_idle = false;
  {
    const std::lock_guard lock(mutex_);
    is_retry_ = !kept.empty();
    jobs_.insert(jobs_.begin(), std::make_move_iterator(kept.begin()),
                 std::make_move_iterator(kept.end()));
    is_idle = jobs_.empty();
  }
  if (was_tried) tell(done);
  if (!told->empty()) {
    post_([told, alive = alive_] {
      for (const Item& item : *told) {
        if (*alive) item.job.then(item.done);
      }
    });
  }
  if (is_idle) file_->shrink();
}

// Once when it begins, once when it ends.
void QueueWriter::tell(const Result<void>& done) {
  if (done.has_value() != was_failing_) return;
  was_failing_ = !done;
  post_([this, alive = alive_, line = done ? std::string() : done.error().text] {
    if (*alive) on_trouble_(line);
  });
}

}  // namespace postern::mail
