#include "pipelines/snapshot_writer.hpp"

#include <algorithm>
#include <utility>

#include "crypto/crc32.hpp"
#include "dynabackup/request_errors.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/upload_notes.hpp"

namespace dynabackup::pipelines {
namespace {

/// Large enough to compress well, small enough that a restore of a small snapshot still has blocks to share out.
constexpr std::size_t most_block_bytes = std::size_t{2} << 20;
constexpr int parts_before_doubling = 1000;
constexpr const char* id_name = "snapshot-id";

std::string content_type(compression codec) {
  switch (codec) {
    case compression::gzip:
      return "application/gzip";
    case compression::zstd:
      return "application/zstd";
    case compression::none:
      break;
  }
  return "application/x-ndjson";
}

}  // namespace

snapshot_writer::snapshot_writer(run_context& run, snapshot_target target, runtime::in_flight& uploads,
                                 byte_budget& parts)
    : run_(run),
      target_(std::move(target)),
      id_(new_run_id(run)),
      uploads_(uploads),
      parts_(parts),
      codec_(target_.codec) {
  manifest_.codec = target_.codec;
}

std::size_t snapshot_writer::part_bytes(int number, std::size_t first) {
  return first << std::min((number - 1) / parts_before_doubling, 9);
}

std::size_t snapshot_writer::block_bytes() const { return std::min(most_block_bytes, run_.part_bytes / 4); }

s3::put_options snapshot_writer::describe() const {
  s3::put_options options;
  options.content_type = content_type(target_.codec);
  options.meta = {{id_name, id_}};
  return options;
}

task<void> snapshot_writer::add(std::string_view line) {
  const runtime::semaphore::permit mine = co_await turn_.acquire();
  if (!raw_.empty() && raw_.size() + line.size() + 1 > block_bytes()) co_await close_block();
  raw_.append(line);
  raw_ += '\n';
  ++raw_items_;
}

task<void> snapshot_writer::close_block() {
  if (packed_charge_.bytes() == 0) {
    packed_charge_ = co_await parts_.acquire(next_part_bytes() + codec_.bound(std::max(raw_.size(), block_bytes())));
    packed_.reserve(packed_charge_.bytes());
  }
  const std::size_t before = packed_.size();
  codec_.append(raw_, packed_);
  const std::string_view bytes = std::string_view(packed_).substr(before);
  if (!bytes.empty())
    manifest_.blocks.push_back({manifest_.size, bytes.size(), raw_.size(), raw_items_, crypto::crc32(bytes)});
  sha256_.update(bytes);
  manifest_.size += bytes.size();
  manifest_.items += raw_items_;
  manifest_.raw_size += raw_.size();
  raw_.clear();
  raw_items_ = 0;
  if (packed_.size() >= next_part_bytes()) co_await cut_part();
}

task<void> snapshot_writer::cut_part() {
  if (upload_id_.empty()) {
    co_await note_upload(run_, target_.home, id_, target_.key);
    noted_ = true;
    s3::begun_upload begun = co_await run_.objects.create_multipart_upload(target_.bucket, target_.key, describe());
    another_possible_ = begun.unsettled;
    upload_id_ = std::move(begun.id);
  }
  const int number = next_part_++;
  done_.push_back({number, {}});
  co_await uploads_.start(upload(number, std::exchange(packed_, {}), std::exchange(packed_charge_, {})));
}

task<void> snapshot_writer::upload(int number, std::string body, byte_budget::charge charge) {
  s3::part stored = co_await run_.objects.upload_part(target_.bucket, target_.key, upload_id_, number, std::move(body));
  done_[static_cast<std::size_t>(number - 1)] = std::move(stored);
  charge.release();
}

task<s3::put_result> snapshot_writer::complete() {
  if (upload_id_.empty()) {
    s3::put_options options = describe();
    options.if_none_match = !target_.overwrite;
    s3::put_result put =
        co_await run_.objects.put_object(target_.bucket, target_.key, std::exchange(packed_, {}), options);
    packed_charge_.release();
    co_return put;
  }
  if (!packed_.empty()) co_await cut_part();
  co_await uploads_.drain();
  s3::put_result put = co_await run_.objects.complete_multipart_upload(target_.bucket, target_.key, upload_id_, done_,
                                                                       !target_.overwrite);
  if (put.stored) upload_id_.clear();
  co_return put;
}

task<archive::manifest> snapshot_writer::finish() {
  // An empty table still gives a file that its tools can read: one empty member or frame.
  if (!raw_.empty() || manifest_.blocks.empty()) co_await close_block();
  const std::string name = "s3://" + target_.bucket + "/" + target_.key;
  // Not every store enforces the condition below: a look narrows the race there.
  const bool taken = !target_.overwrite && (co_await run_.objects.head_object(target_.bucket, target_.key)).has_value();
  if (taken) throw conflict_error(name + " exists", ": choose another name or --overwrite");
  const s3::put_result put = co_await complete();
  const std::optional<s3::object_head> head = co_await run_.objects.head_object(target_.bucket, target_.key);
  // The id tells our own object from another writer's, also when a 412 is the echo of our first attempt whose answer
  // was lost.
  const auto id = head ? head->meta.find(id_name) : s3::metadata::const_iterator{};
  const bool ours = head && id != head->meta.end() && id->second == id_ && head->size == manifest_.size;
  if (!ours && !put.stored) throw conflict_error(name + " exists", ": choose another name or --overwrite");
  if (!ours) throw error(name + " is not there as it was written: somebody else wrote that name at the same time");
  manifest_.sha256 = sha256_.finish_hex();
  manifest_.etag = head->etag;
  co_return std::move(manifest_);
}

task<void> snapshot_writer::forget() {
  if (noted_ && !another_possible_) co_await forget_upload(run_, target_.home, id_);
}

task<void> snapshot_writer::abandon() {
  try {
    co_await run_.objects.abort_multipart_upload(target_.bucket, target_.key, upload_id_);
    upload_id_.clear();
    co_await forget();
  } catch (const error&) {
    // unfinished() says so; the failure that led here is the one to tell.
  }
}

}  // namespace dynabackup::pipelines
