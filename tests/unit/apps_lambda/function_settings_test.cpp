#include "apps/lambda/function_settings.hpp"

#include <doctest/doctest.h>
#include <string>

#include "unit/apps_configuration/surroundings.hpp"

using namespace dynabackup;
using namespace dynabackup::bootstrap;

namespace {

const apps::words enough{{"INCREMENTAL_BUCKET", "items"}, {"SNAPSHOT_BUCKET", "snaps"}, {"AWS_REGION", "eu-west-1"}};

apps::words with(apps::words more) {
  more.insert(enough.begin(), enough.end());
  return more;
}

function_settings settings_of(function what, const apps::words& variables) {
  return read_function_settings(what, {{}, apps::resolve(apps::sources_of({.variables = variables}))},
                                apps::variables_of(variables));
}

std::string refusal(function what, const apps::words& variables) {
  return apps::complaint([&] { settings_of(what, variables); });
}

}  // namespace

TEST_CASE("a handler is known by its name, and by its older spelling") {
  CHECK(function_named("backup") == function::backup);
  CHECK(function_named("snapshot") == function::snapshot);
  CHECK(function_named("restore") == function::restore);
  CHECK(function_named("eu.jobmatchme.dynamodb.backup.Lambda::backup") == function::backup);
  CHECK(function_named("eu.jobmatchme.dynamodb.backup.Lambda::snapshot") == function::snapshot);
  CHECK(function_named("eu.jobmatchme.dynamodb.backup.Lambda::restore") == function::restore);
  for (const char* other : {"", "Backup", "backup ", "backfill", "eu.jobmatchme.dynamodb.backup.Lambda::",
                            "eu.jobmatchme.dynamodb.backup.Lambda::heal", "index.handler"}) {
    CAPTURE(other);
    CHECK(!function_named(other));
  }
}

TEST_CASE("each function says which variable it lacks") {
  const auto without = [](const char* name) {
    apps::words all = enough;
    all.erase(name);
    return all;
  };
  CHECK(refusal(function::backup, without("INCREMENTAL_BUCKET")) ==
        "the function backup needs s3.incremental.bucket: set the environment variable INCREMENTAL_BUCKET");
  CHECK(refusal(function::snapshot, without("SNAPSHOT_BUCKET")).find("SNAPSHOT_BUCKET") != std::string::npos);
  CHECK(refusal(function::restore, without("SNAPSHOT_BUCKET")).find("SNAPSHOT_BUCKET") != std::string::npos);
  CHECK(refusal(function::restore, without("INCREMENTAL_BUCKET")) == "(no usage error)");
  CHECK(refusal(function::backup, without("SNAPSHOT_BUCKET")) == "(no usage error)");
  CHECK(refusal(function::backup, without("AWS_REGION")).find("REGION") != std::string::npos);
}

TEST_CASE("switches are off unless they are set") {
  const function_settings plain = settings_of(function::backup, enough);
  CHECK(!plain.partial_batch);
  CHECK(!plain.coalesce);
  CHECK(!plain.dead_letters);
  CHECK(!plain.unversioned);
  CHECK(!plain.adopt);
  CHECK(!plain.http_budget);
  CHECK(plain.library.s3.region == "eu-west-1");
  CHECK(plain.library.idle_connection <= std::chrono::seconds{5});
  const function_settings set = settings_of(function::backup, with({{"DYNABACKUP_PARTIAL_BATCH", "true"},
                                                                    {"DYNABACKUP_COALESCE", "1"},
                                                                    {"DYNABACKUP_DEAD_LETTERS", "TRUE"},
                                                                    {"DYNABACKUP_UNVERSIONED", "true"},
                                                                    {"DYNABACKUP_ADOPT", "true"},
                                                                    {"DYNABACKUP_HTTP_BUDGET", "12"}}));
  CHECK(set.partial_batch);
  CHECK(set.coalesce);
  CHECK(set.dead_letters);
  CHECK(set.unversioned);
  CHECK(set.adopt);
  CHECK(set.http_budget == std::chrono::seconds{12});
}

TEST_CASE("a switch or a budget that is neither names its variable") {
  CHECK(refusal(function::backup, with({{"DYNABACKUP_PARTIAL_BATCH", "yes"}})) ==
        "variable DYNABACKUP_PARTIAL_BATCH: 'yes' is neither true nor false");
  for (const char* bad : {"0", "-1", "25s", "891", "1e1", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(
        refusal(function::snapshot, with({{"DYNABACKUP_HTTP_BUDGET", bad}})).starts_with("variable DYNABACKUP_HTTP_"));
  }
}

TEST_CASE("prefixes in each other's way are told at the start, also where a table fills them in") {
  const auto at = [](const std::string& incremental, const std::string& snapshot) {
    return refusal(function::snapshot, {{"INCREMENTAL_BUCKET", "one"},
                                        {"SNAPSHOT_BUCKET", "one"},
                                        {"AWS_REGION", "eu-west-1"},
                                        {"INCREMENTAL_PREFIX", incremental},
                                        {"SNAPSHOT_PREFIX", snapshot}});
  };
  CHECK(at("a", "a").find("snapshots") != std::string::npos);
  CHECK(at("b/{table}", "b/{table}").find("snapshots") != std::string::npos);
  CHECK(at("b/{table}", "b/snapshots") == "(no usage error)");
  CHECK(at("items/{table}", "snapshots/{table}") == "(no usage error)");
}
