#include "pipelines/restore.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/batch_writer.hpp"
#include "pipelines/home.hpp"
#include "pipelines/item_batch.hpp"
#include "pipelines/prices.hpp"
#include "pipelines/restore_state.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/snapshot_file.hpp"
#include "runtime/in_flight.hpp"
#include "runtime/shielded.hpp"

namespace dynabackup::pipelines {
namespace {

/// A run that ends badly notes where it was, but nobody waits long for that.
constexpr std::chrono::milliseconds time_to_save{5000};
/// Who asked for the end may be waited for: a function's last second is cut off (apps/lambda/time_limits).
constexpr std::chrono::milliseconds time_to_save_stopped{1200};

struct restore_run {
  run_context& run;
  restore_options what;
  report out;
  dynamodb::table_description table;
  snapshot_file file;
  std::optional<archive::manifest> manifest;
  std::uint64_t done_before = 0;  // blocks settled by an earlier restore
  byte_budget chunks;
  byte_budget batches;
  std::unique_ptr<restore_progress> progress{};
  std::unique_ptr<batch_writer> writer{};  // outlives the group that runs its writes

  restore_run(run_context& context, restore_options options)
      : run(context),
        what(std::move(options)),
        // A block waits for its batches, a batch only for the network.
        chunks(context.memory_bytes / 2),
        batches(context.memory_bytes / 4) {}

  task<report> all() {
    out.operation = "restore";
    out.source = what.from.text() + what.name;
    out.destination = what.table;
    co_await prepare();
    if (what.dry_run) {
      out.planned = cost();
      take_counters(run.seen, out);
      co_return std::move(out);
    }
    co_await begin();
    auto everything = [this](runtime::in_flight& writes) { return write_items(writes); };
    std::exception_ptr failure;
    try {
      co_await runtime::bounded(run.table_parallelism, run.stop, everything);
      check_count();
      co_await progress->wait_out_late_writes();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      // A caller that was cancelled would not even begin to save.
      co_await boost::asio::this_coro::throw_if_cancelled(false);
      co_await runtime::shielded(progress->save(), run.stop.requested ? time_to_save_stopped : time_to_save);
      if (progress->saves())
        run.seen.notices.push_back("what is written is noted: the same command with --resume goes on");
      std::rethrow_exception(failure);
    }
    co_await progress->remove();
    out.memory_bound = chunks.waits() > 0 || batches.waits() > 0;
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  void check_count() const {
    if (manifest && out.items_read != manifest->items)
      throw format_error(file.name() + ": read " + std::to_string(out.items_read) + " items, the manifest says " +
                         std::to_string(manifest->items));
  }

  task<void> prepare() {
    table = co_await require_table(run, what.table);
    file.bucket = what.from.bucket;
    file.key = what.from.key(what.name);
    std::optional<s3::object_head> head = co_await run.objects.head_object(file.bucket, file.key);
    if (!head)
      throw not_found_error("there is no snapshot " + file.name() +
                            ": check SNAPSHOT_BUCKET, SNAPSHOT_PREFIX and the name");
    file.etag = head->etag;
    file.size = head->size;
    co_await read_manifest();
    if (!manifest) {
      run.seen.notices.push_back(file.name() +
                                 " has no manifest of ours: read from start to end, one line after the other");
      co_return;
    }
    check_manifest();
    run.seen.expected_items = manifest->items;
    if (!manifest->covered)
      out.warnings.push_back("when this snapshot was taken it was not covered: " + manifest->not_covered);
  }

  task<void> read_manifest() {
    const std::string key = archive::manifest_key(what.from, what.name);
    std::optional<s3::object_body> found = co_await run.objects.get_object(file.bucket, key, {});
    if (!found) co_return;
    try {
      manifest = archive::read_manifest(found->answer.body);
    } catch (const format_error& e) {
      throw format_error("s3://" + file.bucket + "/" + key + ": " + e.what());
    }
  }

  void check_manifest() const {
    if (manifest->etag != file.etag || manifest->size != file.size)
      throw format_error(file.name() + " is not the object its manifest speaks of (" + std::to_string(file.size) +
                         " bytes, the manifest says " + std::to_string(manifest->size) +
                         "): it was replaced or cut. Restore its right version, or delete the manifest to read it as a "
                         "plain file");
    if (manifest->table && manifest->table->key != table.key)
      throw usage_error(file.name() + " holds items with key " + spell_key(manifest->table->key) + ", table " +
                        what.table + " has key " + spell_key(table.key) + ": create the table with the same key");
  }

  [[nodiscard]] plan cost() const {
    plan p;
    p.items = manifest ? manifest->items : 0;
    p.bytes = manifest ? manifest->raw_size : file.size;
    if (p.items > 0) {
      plan_writes(p);
      p.object_requests = manifest->blocks.size();
    } else {
      out_of_manifest(p);
    }
    p.dollars = p.write_units * prices::write_unit + static_cast<double>(p.object_requests) * prices::get;
    return p;
  }

  /// Nobody knows how many items are in a compressed file without manifest: its bytes are the least there is to write.
  void out_of_manifest(plan& p) const {
    p.write_units = expected_write_units(file.size);
    p.object_requests = (file.size >> 21) + 1;
    p.table_requests = 1 + file.size / batch_bytes;
  }

  /// Takes up an earlier restore where that is asked for, and says where this one notes its progress.
  task<void> begin() {
    restore_state state{run, what, archive::identify(table), file, manifest.has_value()};
    archive::restore_checkpoint at = co_await state.load();
    writer_from(at);
    co_await state.wait_out_earlier();
    progress = std::make_unique<restore_progress>(run, std::move(at));
    state.save_into(*progress);
    const auto line_of = [name = file.name()](std::string_view, std::uint64_t line) {
      return finding{.kind = {}, .object = name, .line = line, .detail = {}};
    };
    writer = std::make_unique<batch_writer>(run, out, *progress, line_of);
    // From here on it can go on, and whoever comes after a kill knows that requests may still be under way.
    co_await progress->save();
  }

  /// What an earlier restore settled counts as done here.
  void writer_from(const archive::restore_checkpoint& at) {
    done_before = at.blocks_done;
    std::uint64_t lines = at.lines;
    if (manifest && at.blocks_done > manifest->blocks.size())
      throw format_error("the checkpoint of this restore speaks of more blocks than the snapshot has");
    for (std::uint64_t n = 0; manifest && n < at.blocks_done; ++n) lines += manifest->blocks[n].items;
    for (const archive::block_position& p : at.blocks) lines += p.lines;
    out.items_resumed = out.items_read = lines;
    out.items_refused = at.refused;
    out.items_written = lines - std::min(lines, at.refused);
    run.seen.items = lines;
    if (at.refused > 0)
      out.warnings.push_back(std::to_string(at.refused) + " items were refused, and named, before the restore stopped");
  }

  task<void> write_items(runtime::in_flight& writes) {
    restore_target to{run, out, what.table, table.key, *writer, *progress, writes, chunks, batches};
    if (manifest)
      co_await restore_blocks(to, file, *manifest, done_before);
    else
      co_await restore_foreign(to, file);
  }
};

}  // namespace

task<report> restore(run_context& run, restore_options what) {
  restore_run work(run, std::move(what));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
