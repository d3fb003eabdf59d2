#include "pipelines/restore.hpp"

#include <utility>

#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/batch_writer.hpp"
#include "pipelines/home.hpp"
#include "pipelines/snapshot_file.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

struct restore_run {
  run_context& run;
  restore_options what;
  report out;
  dynamodb::table_description table;
  snapshot_file file;
  std::optional<archive::manifest> manifest;
  byte_budget chunks;
  byte_budget batches;
  batch_writer writer;  // outlives the group that runs its writes

  restore_run(run_context& context, restore_options options)
      : run(context),
        what(std::move(options)),
        // A block waits for its batches, a batch only for the network.
        chunks(context.memory_bytes / 2),
        batches(context.memory_bytes / 4),
        writer(context, out, "s3://" + what.from.bucket + "/" + what.from.key(what.name)) {}

  task<report> all() {
    out.operation = "restore";
    out.source = what.from.text() + what.name;
    out.destination = what.table;
    co_await prepare();
    auto everything = [this](runtime::in_flight& writes) { return write_items(writes); };
    co_await runtime::bounded(run.table_parallelism, run.stop, everything);
    if (manifest && out.items_read != manifest->items)
      throw format_error(file.name() + ": read " + std::to_string(out.items_read) + " items, the manifest says " +
                         std::to_string(manifest->items));
    out.memory_bound = chunks.waits() > 0 || batches.waits() > 0;
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  task<void> prepare() {
    table = co_await require_table(run, what.table);
    file.bucket = what.from.bucket;
    file.key = what.from.key(what.name);
    std::optional<s3::object_head> head = co_await run.objects.head_object(file.bucket, file.key);
    if (!head)
      throw usage_error("there is no snapshot " + file.name() +
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

  task<void> write_items(runtime::in_flight& writes) {
    restore_target to{run, out, what.table, table.key, writer, writes, chunks, batches};
    if (manifest)
      co_await restore_blocks(to, file, *manifest);
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
