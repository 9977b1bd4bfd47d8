// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/engine.h"

namespace postern::http {

FillObject::FillObject(Engine& engine, std::shared_ptr<Fill> fill, const std::string* metadata)
    : engine_(engine),
      fill_(std::move(fill)),
      metadata_(metadata != nullptr ? *metadata : fill_->metadata()),
      reader_(engine),
      self_(std::make_shared<FillObject*>(this)) {
  ++fill_->readers;
}

std::unique_ptr<StoredObject> Fill::read_along() {
  return std::make_unique<FillObject>(engine_, shared_from_this(), nullptr);
}

FillObject::~FillObject() {
  --fill_->readers;
}

std::optional<uint64_t> FillObject::length() const {
  if (fill_->options().length) return fill_->options().length;
  if (is_complete()) return fill_->end();
  return std::nullopt;
}

bool FillObject::is_complete() const {
  const bool is_whole =
      fill_->state() == Fill::State::committed || fill_->state() == Fill::State::stored;
  return is_whole && fill_->options().offset == 0 &&
         fill_->end() == fill_->options().length.value_or(fill_->end());
}

std::vector<OctetRange> FillObject::present() const {
  if (fill_->end() == fill_->options().offset) return {};
  return {{fill_->options().offset, fill_->end()}};
}

// What is to be said where nothing has been appended.
Read::State FillObject::at_end() const {
  if (offset_ < fill_->options().offset) return Read::State::absent;
  if (fill_->state() == Fill::State::failed) return Read::State::failed;
  const auto all = length();
  if (all && offset_ >= *all) return Read::State::end;
  if (fill_->state() != Fill::State::open) return Read::State::absent;
  return fill_->will_have(offset_) ? Read::State::wait : Read::State::absent;
}

Read FillObject::next() {
  held_.reset();
  if (offset_ < fill_->options().offset || offset_ >= fill_->end()) return {at_end(), {}};
  Read read;
  if (const Fill::InMemory memory = fill_->in_memory(offset_); memory.chunk) {
    held_ = memory.chunk;
    read = {Read::State::octets, memory.octets};
  } else if (const Run* run = run_at(fill_->runs(), offset_)) {
    read = reader_.read(*run, offset_);
  } else {
    read.state = Read::State::failed;
  }
  if (read.state == Read::State::octets) offset_ += read.octets.size();
  return read;
}

ReadExtent FillObject::next_extent() {
  const Run* run = run_at(fill_->runs(), offset_);
  if (run == nullptr) {
    const bool is_appended = offset_ >= fill_->options().offset && offset_ < fill_->end();
    return {is_appended ? Read::State::absent : at_end(), -1, 0, 0};
  }
  const ReadExtent extent = reader_.extent(*run, offset_);
  if (extent.state == Read::State::octets) offset_ += extent.length;
  return extent;
}

void FillObject::when_ready(std::function<void()> ready) {
  if (reader_.is_waiting()) return reader_.when_ready(std::move(ready));
  ready_ = std::move(ready);
  auto wake = [self = std::weak_ptr<FillObject*>(self_)] {
    const auto alive = self.lock();
    if (!alive) return;
    if (const auto call = std::exchange((*alive)->ready_, {})) call();
  };
  if (offset_ < fill_->end() || fill_->state() != Fill::State::open)
    engine_.io.later(std::move(wake));
  else
    fill_->wait(std::move(wake));
}

}  // namespace postern::http
