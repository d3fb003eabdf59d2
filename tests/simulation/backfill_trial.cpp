#include <utility>

#include "archive/descriptor.hpp"
#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "pipelines/backfill.hpp"
#include "simulation/oracle.hpp"

namespace dynabackup::simulation {
namespace {

world_settings draw_world(dice& chance, const trial_options& options) {
  world_settings w;
  w.verbose = options.verbose;
  w.session_tokens = options.seed % 4 == 2;
  w.items = static_cast<std::uint64_t>(chance.between(200, 300));
  w.stream = !chance.one_in(6);
  w.writers = w.stream && (options.seed % 2 == 0 || chance.one_in(4));
  w.store.conditions_enforced = !chance.one_in(4);
  w.store.removal_allowed = !chance.one_in(8);
  w.store.markers_allowed = w.store.removal_allowed || !chance.one_in(3);
  w.store.list_page = chance.one_in(2) ? 50 : 1000;
  w.table.page_items = static_cast<std::size_t>(chance.between(8, 14));
  w.table.staleness = chance.one_in(2) ? milliseconds{0} : chance.between(milliseconds{1}, milliseconds{3'000});
  if (chance.one_in(4)) w.table.page_bytes = 2'000;
  return w;
}

dynamodb::table_description described(world& outside) {
  request r;
  r.method = "POST";
  r.headers = {{"X-Amz-Target", "DynamoDB_20120810.DescribeTable"}, {"Content-Type", "application/x-amz-json-1.0"}};
  r.body = R"({"TableName":")" + world::table + R"("})";
  return dynamodb::read_table_description(outside.tables.handle(r).body);
}

/// The recorder has been at work for an hour: some items lie there already, some were deleted since.
void record_some(world& outside, dice& chance) {
  for (const auto& [key, item] : outside.items()) {
    if (chance.one_in(3)) outside.reference.record(key, item, 1);
    if (chance.one_in(10)) {
      outside.store.remove(world::home.bucket, world::home.key(archive::object_name(key)));
      outside.reference.record(key, item, 2);
    }
  }
  outside.time.advance_to(outside.time.elapsed() + minutes{60});
}

/// Objects in the place of some items that no change will ever correct: an older run's, or a recorder's that missed
/// one.
void leave_stale_objects(world& outside, dice& chance) {
  for (const auto& [key, item] : outside.items()) {
    if (!chance.one_in(20)) continue;
    std::string older = item;
    older.insert(1, R"("!older":{"NULL":true},)");
    std::string body = body_of(older);
    std::string md5 = crypto::md5_hex(body);
    outside.store.put(world::home.bucket, world::home.key(archive::object_name(key)), std::move(body),
                      {{"source", "backfill"}, {"md5", std::move(md5)}, {"run", "20261001T000000Z-00000001"}});
  }
}

void arrange(world& outside, dice& chance) {
  for (std::uint64_t n = 0; n < outside.settings.items; ++n) outside.write(n);
  const dynamodb::table_description table = described(outside);
  const bool stale = chance.one_in(4);
  if (stale) leave_stale_objects(outside, chance);
  const bool recorded = outside.settings.stream && chance.one_in(3);
  // Whoever writes there first says whose prefix it is.
  if (stale || recorded || outside.settings.writers)
    outside.store.put(world::home.bucket, archive::descriptor_key(world::home),
                      archive::write_descriptor(archive::describe(table)), {});
  outside.time.advance_to(outside.time.elapsed() + minutes{10});
  if (!outside.settings.stream) return;
  outside.reference.write_to(world::home.bucket, world::home.prefix, table.stream->label);
  outside.tables.on_change(world::table, [&outside](const fakes::table_change& c) { outside.reference.take(c); });
  if (recorded) record_some(outside, chance);
  if (!outside.settings.writers) return;
  outside.let_writers_loose(chance.between(milliseconds{20'000}, milliseconds{200'000}));
  outside.time.advance_to(outside.time.elapsed() + chance.between(milliseconds{0}, milliseconds{100'000}));
}

}  // namespace

verdict backfill_trial(const trial_options& options) {
  dice chance(options.seed * 4 + 1);
  verdict v;
  world outside(chance.next(), draw_world(chance, options));
  arrange(outside, chance);
  conduct user(options.seed, outside, chance);
  user.handlers_expected = 1'000;
  const backfill_options what{.table = world::table, .to = world::home};
  auto start = [&what](int) -> operation {
    return [&what](composition& c, progress& seen) { return c.timed(&pipelines::backfill, what, seen); };
  };
  const std::optional<report> told = user.until_done(outside, start, v);
  outside.stop_writers();
  outside.settle();
  v.items = outside.items().size();
  if (told) judge_backfill(outside, *told, v);
  return v;
}

}  // namespace dynabackup::simulation
