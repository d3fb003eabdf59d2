#include <utility>

#include "archive/block_codec.hpp"
#include "archive/snapshot_line.hpp"
#include "crypto/crc32.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/item_batch.hpp"
#include "pipelines/snapshot_file.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr const char* hint = ". Blocks are restored in parallel: some of the others were written already";

struct block_reader {
  restore_target& to;
  snapshot_file from;
  archive::manifest what;
  std::uint64_t done_before;  // blocks settled by an earlier restore

  task<void> all() {
    // Each reader holds one block; how many there really are is the budget's business.
    auto readers = [this](runtime::in_flight& group) { return start_blocks(group); };
    co_await runtime::bounded(to.run.object_parallelism, to.run.stop, readers);
  }

  task<void> start_blocks(runtime::in_flight& group) {
    std::uint64_t first_line = 1;
    for (std::uint64_t n = 0; n < what.blocks.size(); ++n) {
      const archive::block& b = what.blocks[n];
      if (n >= done_before) co_await group.start(read(n, b, first_line));
      first_line += b.items;
    }
  }

  task<void> read(std::uint64_t number, archive::block b, std::uint64_t first_line) {
    const std::uint64_t skipped = to.progress.settled_before(number);
    const std::shared_ptr<settled_prefix> settled = to.progress.begin_block(number, b.items);
    if (skipped >= b.items) co_return;
    const byte_budget::charge room = co_await to.chunks.acquire(b.raw_size + b.size);
    const std::string lines = co_await unpack(b, first_line);
    to.out.bytes_read += b.size;
    archive::line_reader reader(to.key);
    item_batch batch(to, settled);
    std::string item, key;
    std::uint64_t line = first_line;
    for (std::size_t at = 0; at < lines.size(); ++line) {
      const std::size_t end = lines.find('\n', at);
      if (end == std::string::npos) throw damaged(first_line, "its last line has no end");
      const std::string_view text = std::string_view(lines).substr(at, end - at);
      at = end + 1;
      if (line - first_line < skipped) continue;
      item.clear();
      key.clear();
      parse(reader, text, line, item, key);
      ++to.out.items_read;
      if (!batch.fits(item.size())) co_await batch.send();
      co_await batch.add(item, line);
      batch.take_line();
    }
    if (line - first_line != b.items)
      throw damaged(first_line, "it does not hold the number of lines the manifest says");
    co_await batch.send();
  }

  task<std::string> unpack(archive::block b, std::uint64_t first_line) {
    s3::get_options options;
    options.range = {b.offset, b.offset + b.size - 1};
    options.if_match = from.etag;
    std::optional<s3::object_body> found = co_await to.run.objects.get_object(from.bucket, from.key, options);
    if (!found) throw error(from.name() + " was deleted while it was read");
    if (found->answer.body.size() != b.size || crypto::crc32(found->answer.body) != b.crc32)
      throw damaged(first_line, "its bytes do not have the checksum in the manifest");
    try {
      co_return archive::read_block(what.codec, found->answer.body, b.raw_size);
    } catch (const format_error& e) {
      throw damaged(first_line, e.what());
    }
  }

  void parse(archive::line_reader& reader, std::string_view text, std::uint64_t line, std::string& item,
             std::string& key) {
    try {
      reader.read(text, item, key);
    } catch (const format_error& e) {
      throw format_error(from.name() + " line " + std::to_string(line) + ": " + e.what() + hint);
    }
  }

  [[nodiscard]] format_error damaged(std::uint64_t first_line, const std::string& how) const {
    return format_error(from.name() + " is damaged in the block that begins at line " + std::to_string(first_line) +
                        ": " + how + hint);
  }
};

}  // namespace

task<void> restore_blocks(restore_target& to, snapshot_file from, archive::manifest what, std::uint64_t done_before) {
  block_reader work{to, std::move(from), std::move(what), done_before};
  co_await work.all();
}

}  // namespace dynabackup::pipelines
