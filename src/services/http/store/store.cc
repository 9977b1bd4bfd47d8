// SPDX-License-Identifier: BSD-3-Clause
#include "services/http/store/store.h"

#include "services/http/store/engine.h"
#include "services/http/store/key_walk.h"
#include "services/http/store/rebuild.h"

namespace postern::http {

Result<void> Store::format(const StoreOptions& options) {
  auto superblock = new_superblock(options);
  if (!superblock) return std::move(superblock).error();
  auto file = make_file(options.path, options.octets);
  if (!file) return std::move(file).error();
  auto written = write_new(**file, *superblock);
  if (!written) return std::move(written).error().within(options.path);
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  auto file = open_file(options.path);
  if (!file && file.error().code == ErrorCode::not_found && options.may_create) {
    if (auto made = format(options); !made) return std::move(made).error();
    file = open_file(options.path);
  }
  if (!file) return std::move(file).error();
  return open_on(options, std::move(*file));
}

Result<std::unique_ptr<Store>> Store::open_on(const StoreOptions& options,
                                              std::unique_ptr<File> file) {
  auto engine = rebuild(options, std::move(file));
  if (!engine) return std::move(engine).error();
  return std::unique_ptr<Store>(new Store(std::move(*engine)));
}

Store::Store(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Store::~Store() = default;

void Store::detach() {
  engine_->io.detach();
}

void Store::find(const StoreKey& key, Found found) {
  engine_->find(key, std::move(found));
}

std::unique_ptr<StoredObject> Store::find_fill(const StoreKey& key, uint64_t offset) {
  return engine_->find_fill(key, offset);
}

std::unique_ptr<StoreWriter> Store::begin(const StoreKey& key, std::string_view metadata,
                                          const FillOptions& options) {
  auto fill = engine_->begin(key, metadata, options);
  if (!fill) return nullptr;
  return std::make_unique<StoreWriter>(std::move(fill));
}

void Store::update_metadata(const StoreKey& key, const MetadataChange& change, const Done& done) {
  engine_->update_metadata(key, change, done);
}

void Store::remove(std::string_view primary, const Done& done) {
  engine_->remove(primary, done);
}

void Store::clear(const Done& done) {
  engine_->clear(done);
}

void Store::each_key(VisitKey visit, Done done) {
  std::make_shared<KeyWalk>(*engine_, std::move(visit), std::move(done))->start();
}

void Store::retry() {
  engine_->retry();
}

StoreCounters Store::counters() const {
  return engine_->count();
}

StoreWriter::StoreWriter(std::shared_ptr<Fill> fill) : fill_(std::move(fill)) {}

StoreWriter::~StoreWriter() {
  fill_->abandon(false);
}

Append StoreWriter::append(std::span<const uint8_t> octets) {
  return fill_->append(octets);
}

void StoreWriter::when_drained(std::function<void()> drained) {
  fill_->when_drained(std::move(drained));
}

void StoreWriter::commit(const std::function<void(bool)>& stored) {
  fill_->commit(stored);
}

void StoreWriter::abandon(bool keeps_part) {
  fill_->abandon(keeps_part);
}

bool StoreWriter::is_over() const {
  return fill_->state() != Fill::State::open;
}

uint64_t StoreWriter::appended() const {
  return fill_->end() - fill_->options().offset;
}

std::unique_ptr<StoredObject> StoreWriter::read_along() {
  return fill_->read_along();
}

size_t StoreWriter::readers() const {
  return fill_->readers;
}

}  // namespace postern::http
