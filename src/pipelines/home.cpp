#include "pipelines/home.hpp"

#include <utility>
#include <vector>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "dynabackup/request_errors.hpp"
#include "pipelines/small_file.hpp"

namespace dynabackup::pipelines {
namespace {

/// Anything below the prefix that is none of ours: another tool's objects.
task<std::optional<std::string>> foreign_object(run_context& run, s3_location home) {
  const std::string ours = home.prefix + std::string(archive::bookkeeping);
  s3::list_options options{.prefix = home.prefix};
  do {
    s3::list_page page = co_await run.objects.list_objects_v2(home.bucket, options);
    for (s3::listed_object& o : page.objects)
      if (!o.key.starts_with(ours)) co_return std::move(o.key);
    options.token = std::move(page.next);
  } while (options.token);
  co_return std::nullopt;
}

}  // namespace

std::string spell_key(const dynamodb::key_schema& key) {
  std::string text;
  for (const dynamodb::key_attribute& a : key) text += (text.empty() ? "" : ", ") + a.name + " (" + a.type + ")";
  return text;
}

task<dynamodb::table_description> require_table(run_context& run, std::string name) {
  dynamodb::table_description table = co_await run.tables.describe_table(name);
  if (table.status != "ACTIVE" && table.status != "UPDATING")
    throw usage_error("table " + name + " is " + table.status + "; wait until it is ACTIVE");
  co_return table;
}

task<bool> require_versioning(run_context& run, s3_location home, bool unversioned) {
  const s3::versioning state = co_await run.objects.get_bucket_versioning(home.bucket);
  if (state == s3::versioning::enabled) co_return true;
  if (!unversioned)
    throw usage_error("bucket " + home.bucket + " is not versioned" +
                      (state == s3::versioning::suspended ? " (versioning is suspended)" : "") +
                      ": a backup without versions cannot go back in time or undo a race. Enable it with `aws s3api "
                      "put-bucket-versioning --bucket " +
                      home.bucket +
                      " --versioning-configuration Status=Enabled`, or accept the loss with --unversioned");
  run.seen.notices.push_back("warning: bucket " + home.bucket +
                             " is not versioned: past moments cannot be restored, and an item deleted while the "
                             "backfill runs may stay in the backup");
  co_return false;
}

task<std::optional<archive::descriptor>> find_descriptor(run_context& run, s3_location home) {
  const std::string key = archive::descriptor_key(home);
  std::optional<std::string> body = co_await read_small(run, home.bucket, key);
  if (!body) co_return std::nullopt;
  co_return read_named(home.bucket, key, *body, archive::read_descriptor);
}

task<archive::descriptor> require_backup(run_context& run, s3_location home) {
  std::optional<archive::descriptor> found = co_await find_descriptor(run, home);
  if (!found)
    throw not_found_error(home.text() + " holds no backup (no " + archive::descriptor_key(home) +
                          " in the bucket): check INCREMENTAL_BUCKET and INCREMENTAL_PREFIX, or run `backfill` first");
  co_return std::move(*found);
}

task<bool> check_home(run_context& run, s3_location home, archive::descriptor now, bool adopt) {
  std::optional<archive::descriptor> known = co_await find_descriptor(run, home);
  if (!known) {
    std::optional<std::string> stranger = co_await foreign_object(run, home);
    // Another of our runs may have claimed the prefix and begun since the first look.
    if (stranger) known = co_await find_descriptor(run, home);
    if (stranger && !known)
      throw usage_error(home.text() + " holds objects but no descriptor of ours (s3://" + home.bucket + "/" +
                        *stranger + "): another tool writes there. Choose an empty prefix (INCREMENTAL_PREFIX)");
    if (!known) co_return true;
  }
  const archive::kinship kin = archive::compare(*known, now);
  if (kin == archive::kinship::same) co_return false;
  if (kin == archive::kinship::other)
    throw usage_error(home.text() + " holds the backup of table " + known->table + " with key " +
                      spell_key(known->key) + ", not of " + now.table + " with key " + spell_key(now.key) +
                      ". Give each table a prefix of its own, for example INCREMENTAL_PREFIX=backup/{table}");
  const std::string difference = home.text() + " was written from " + known->arn + " created at " + known->created +
                                 "; the table is now " + now.arn + " created at " + now.created;
  if (!adopt)
    throw usage_error(difference +
                      ". It was recreated or moved; --adopt goes on in the same prefix, or choose another one");
  run.seen.notices.push_back("warning: " + difference + "; going on with --adopt");
  co_return true;
}

task<void> claim_home(run_context& run, s3_location home, archive::descriptor now, bool conditional) {
  const std::string key = archive::descriptor_key(home);
  std::optional<archive::descriptor> before = co_await find_descriptor(run, home);
  s3::put_options options;
  options.if_none_match = conditional && !before;
  s3::put_result put = co_await run.objects.put_object(home.bucket, key, archive::write_descriptor(now), options);
  if (before) co_return;  // adopted: ours replaces the old one on purpose
  std::string winner = archive::write_descriptor(now);
  if (!put.stored || conditional) {
    std::optional<std::string> body = co_await read_small(run, home.bucket, key);
    if (body) winner = std::move(*body);
  } else {
    s3::version_page page = co_await run.objects.list_object_versions(home.bucket, key, std::nullopt, {});
    std::string oldest;
    for (const s3::listed_version& v : page.versions)
      if (v.key == key && !v.delete_marker) oldest = v.version_id;
    if (!oldest.empty()) {
      s3::get_options of_version;
      of_version.version_id = oldest;
      std::optional<s3::object_body> found = co_await run.objects.get_object(home.bucket, key, of_version);
      if (found) winner = std::move(found->answer.body);
    }
  }
  const archive::descriptor first = read_named(home.bucket, key, winner, archive::read_descriptor);
  if (archive::compare(first, now) == archive::kinship::same) co_return;
  // Ours must not stay on top of the winner's, or the next run would take the prefix for its own.
  if (put.stored && !put.version_id.empty()) co_await run.objects.delete_object(home.bucket, key, put.version_id);
  throw usage_error(home.text() + " was claimed for table " + first.table + " (" + first.arn +
                    ") at the same time. Give each table a prefix of its own, for example "
                    "INCREMENTAL_PREFIX=backup/{table}");
}

namespace {

/// Where versions may not be removed (Object Lock, permissions) the probe stays; it is no item and harms nobody.
task<void> remove_probe(run_context& run, std::string bucket, std::string key, std::string version_id) {
  try {
    co_await run.objects.delete_object(bucket, key, version_id);
  } catch (const service_error& e) {
    if (e.failure.status != 403) throw;
    run.seen.notices.push_back("s3://" + bucket + "/" + key + " could not be removed (" + e.failure.code +
                               "); a lifecycle rule may do it");
  }
}

}  // namespace

task<store_conditions> probe_conditions(run_context& run, s3_location home, std::string run_id) {
  const std::string key = archive::probe_key(home, run_id);
  s3::put_options options;
  options.content_type = "text/plain";
  options.if_none_match = true;
  std::vector<s3::put_result> puts;
  puts.push_back(co_await run.objects.put_object(home.bucket, key, "probe", options));
  puts.push_back(co_await run.objects.put_object(home.bucket, key, "probe", options));
  const std::string etag = puts[1].stored ? puts[1].etag : puts[0].etag;
  options.if_none_match = false;
  options.if_match = std::string(32, '0');
  puts.push_back(co_await run.objects.put_object(home.bucket, key, "probe", options));
  options.if_match = etag;
  // After a retry a refusal may be the echo of a first success: where there is no ETag, nothing is known.
  if (!etag.empty()) puts.push_back(co_await run.objects.put_object(home.bucket, key, "probe", options));
  for (const s3::put_result& put : puts)
    if (put.stored) co_await remove_probe(run, home.bucket, key, put.version_id);
  co_return store_conditions{.if_none_match = !puts[1].stored,
                             .if_match = puts.size() == 4 && !puts[2].stored && puts[3].stored};
}

void take_counters(const progress& seen, report& out) {
  out.requests = seen.requests;
  out.retries = seen.retries;
  out.throttles = seen.throttles;
  out.peak_in_flight = seen.peak_in_flight;
}

}  // namespace dynabackup::pipelines
