#include "apps/cli/arguments.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace dynabackup::cli {
namespace {

using line = std::vector<std::string>;
using id = setting_id;

arguments parsed(const line& words) {
  auto result = parse_arguments(words);
  if (const auto* end = std::get_if<early_end>(&result)) FAIL("refused: " << end->text);
  return std::get<arguments>(result);
}

early_end ended(const line& words) {
  auto result = parse_arguments(words);
  if (const auto* end = std::get_if<early_end>(&result)) return *end;
  return {-1, "(accepted)", "(accepted)", output_format::text};
}

TEST_CASE("the commands") {
  const arguments backfill = parsed({"backfill", "users", "--unversioned", "--adopt"});
  CHECK(backfill.what == command::backfill);
  CHECK_FALSE(backfill.classic);
  CHECK(backfill.table == "users");
  CHECK(backfill.unversioned);
  CHECK(backfill.adopt);

  const arguments snapshot = parsed({"snapshot"});
  CHECK(snapshot.what == command::snapshot);
  CHECK(snapshot.snapshot.empty());
  CHECK(snapshot.codec == compression::gzip);
  CHECK_FALSE(snapshot.overwrite);
  const arguments named = parsed({"snapshot", "s.zst", "--table", "users", "--compression", "zstd", "--overwrite"});
  CHECK(named.snapshot == "s.zst");
  CHECK(named.prefix_table == "users");
  CHECK(named.codec == compression::zstd);
  CHECK(named.overwrite);
  CHECK(parsed({"snapshot", "--compression=none"}).codec == compression::none);

  const arguments restore = parsed({"restore", "copy", "s.gz", "--table", "users"});
  CHECK(restore.what == command::restore);
  CHECK(restore.table == "copy");
  CHECK(restore.snapshot == "s.gz");
  CHECK(restore.prefix_table == "users");

  const arguments follow = parsed({"follow", "users", "--enable-stream", "--coalesce", "--dead-letters", "--adopt"});
  CHECK(follow.what == command::follow);
  CHECK(follow.table == "users");
  CHECK(follow.enable_stream);
  CHECK(follow.coalesce);
  CHECK(follow.dead_letters);
  CHECK(follow.adopt);
  CHECK_FALSE(follow.unversioned);

  CHECK(parsed({"config"}).what == command::config);
}

TEST_CASE("a past moment") {
  const arguments ago = parsed({"snapshot", "--at", "-2h"});
  REQUIRE(ago.at);
  CHECK(ago.at->ago == std::chrono::hours{2});
  CHECK_FALSE(ago.accept_incomplete);
  CHECK(ago.snapshot.empty());
  const arguments named = parsed({"snapshot", "s.gz", "--at=2026-11-22T12:45:03+01:00", "--accept-incomplete"});
  REQUIRE(named.at);
  CHECK(named.at->time == std::chrono::sys_seconds{std::chrono::seconds{1'795'347'903}});
  CHECK(named.accept_incomplete);
  CHECK_FALSE(parsed({"snapshot"}).at);

  for (const char* garbage : {"yesterday", "2026-11-22", "-2", "-2h30"}) {
    const early_end end = ended({"snapshot", std::string("--at=") + garbage});
    CHECK(end.exit_code == 2);
    for (const char* form : {"2026-11-22T11:45:03Z", "+01:00", "-90s", "-30m", "-2h", "-7d"})
      CHECK_MESSAGE(end.mistake.find(form) != std::string::npos, end.mistake);
  }
  CHECK(ended({"snapshot", "--accept-incomplete"}).mistake.find("--at") != std::string::npos);
  CHECK(ended({"snapshot", "--at"}).exit_code == 2);
  CHECK(ended({"backfill", "users", "--at", "-2h"}).exit_code == 2);
}

TEST_CASE("a restore of a past moment takes no snapshot") {
  const arguments past = parsed({"restore", "users", "--at", "-2h", "--accept-incomplete"});
  CHECK(past.what == command::restore);
  CHECK(past.table == "users");
  CHECK(past.snapshot.empty());
  REQUIRE(past.at);
  CHECK(past.accept_incomplete);
  CHECK(ended({"restore", "users"}).mistake.find("--at") != std::string::npos);
  CHECK(ended({"restore", "users", "s.gz", "--at", "-2h"}).mistake.find("not both") != std::string::npos);
  CHECK(ended({"restore", "users", "--at", "-2h", "--resume"}).mistake.find("--resume") != std::string::npos);
}

TEST_CASE("the key of an item, as one or several arguments, and a moment that looks like an option") {
  const arguments history = parsed({"history", "--key", "pk=a", "--key", "sk=-5", "--table", "users"});
  CHECK(history.what == command::history);
  CHECK(history.key == line{"pk=a", "sk=-5"});
  CHECK(history.prefix_table == "users");
  CHECK(parsed({"history", "--key", "pk=a", "sk=5"}).key == line{"pk=a", "sk=5"});
  const std::string json = R"({"pk":{"S":"[a, b]"},"sk":{"N":"5"}})";
  CHECK(parsed({"history", "--key", json}).key == line{json});
  CHECK(parsed({"show", "--key=" + json}).key == line{json});
  CHECK(parsed({"show", "--key", "id=a,b c"}).key == line{"id=a,b c"});

  const arguments show = parsed({"show", "--key", "id=x", "--at", "-2h"});
  CHECK(show.what == command::show);
  REQUIRE(show.at);
  CHECK(show.at->ago == std::chrono::hours{2});
  CHECK(parsed({"show", "--at=-1d12h", "--key", "id=x"}).at->ago == std::chrono::hours{36});
  CHECK_FALSE(parsed({"show", "--key", "id=x"}).at);
  CHECK(ended({"show", "--key", "id=x", "--at", "yesterday"}).exit_code == 2);
  CHECK(ended({"history"}).exit_code == 2);
  CHECK(ended({"history", "--key", "id=x", "--at", "-2h"}).exit_code == 2);
}

TEST_CASE("the classic forms") {
  const arguments backfill = parsed({"--backfill", "users"});
  CHECK(backfill.what == command::backfill);
  CHECK(backfill.classic);
  CHECK(backfill.table == "users");

  const arguments snapshot = parsed({"--snapshot"});
  CHECK(snapshot.what == command::snapshot);
  CHECK(snapshot.classic);
  CHECK(snapshot.snapshot.empty());
  CHECK(parsed({"--snapshot", "--table", "users"}).prefix_table == "users");

  const arguments restore = parsed({"--restore", "users", "s.gz"});
  CHECK(restore.what == command::restore);
  CHECK(restore.classic);
  CHECK(restore.table == "users");
  CHECK(restore.snapshot == "s.gz");

  CHECK(parsed({"-Dconfig.file=a=b.conf", "--restore", "users", "s.gz"}).config_file == "a=b.conf");
  CHECK(parsed({"--backfill", "users", "-Dconfig.file=x.conf"}).config_file == "x.conf");
}

TEST_CASE("options stand before or behind the command, with or without =") {
  for (const line& words : std::vector<line>{{"--parallelism", "8", "backfill", "users"},
                                             {"backfill", "--parallelism", "8", "users"},
                                             {"backfill", "users", "--parallelism=8"},
                                             {"--backfill", "users", "--parallelism", "8"}}) {
    const arguments result = parsed(words);
    CHECK(result.table == "users");
    CHECK(result.options[id::dynamodb_parallelism] == "8");
    CHECK_FALSE(result.options[id::s3_parallelism]);
  }
  const arguments result = parsed({"config", "--output", "json", "--quiet", "--config", "x.conf"});
  CHECK(result.output == output_format::json);
  CHECK(result.quiet);
  CHECK(result.config_file == "x.conf");
}

TEST_CASE("every setting has its option, and values are taken as they are") {
  for (const setting& which : all_settings()) {
    CAPTURE(which.option);
    for (const std::string value : {"x", "", "{table}", "[a,b]", "a=b", "'q'", "-1", "%"}) {
      CAPTURE(value);
      const arguments result = parsed({"config", std::string(which.option), value});
      CHECK(result.options[which.id] == value);
    }
  }
}

struct bad_row {
  line words;
  std::string mistake;
};

TEST_CASE("anything else prints the usage and exits 2") {
  const std::vector<bad_row> rows{
      {{}, "a command is missing"},
      {{"--quiet"}, "a command is missing"},
      {{"snapshto"}, "'snapshto' is not a command; did you mean snapshot?"},
      {{"nonsense-word"}, "'nonsense-word' is not a command"},
      {{"backfill", "t", "--paralelism", "3"}, "'--paralelism' is not an option; did you mean --parallelism?"},
      {{"backfill", "t", "--quite-else=3"}, "'--quite-else' is not an option"},
      {{"--backfill"}, "--backfill takes a table"},
      {{"--restore", "users"}, "--restore takes a table and a snapshot"},
      {{"--restore"}, "--restore takes a table and a snapshot"},
      {{"snapshot", "--snapshot"}, "one command at a time"},
      {{"snapshot", "--restore", "a", "b"}, "one command at a time"},
      {{"--snapshot", "--backfill", "t"}, "one command at a time"},
      {{"backfill", "t", "--table", "x"}, "backfill takes no --table"},
      {{"--backfill", "t", "--table", "x"}, "backfill takes no --table"},
      {{"--restore", "t", "s", "--table", "x"}, "restore takes no --table"},
      {{"config", "--table", "x"}, "config takes no --table"},
  };
  for (const bad_row& row : rows) {
    const early_end end = ended(row.words);
    CHECK(end.exit_code == 2);
    CHECK(end.mistake == row.mistake);
    CHECK(end.text.starts_with("dynamodb-backup: " + row.mistake + "\n\nUsage: dynamodb-backup backfill <table>"));
  }
  for (const line& words : std::vector<line>{{"backfill"},
                                             {"backfill", "t", "extra"},
                                             {"--backfill", "a", "b"},
                                             {"--snapshot", "name"},
                                             {"--snapshot=name"},
                                             {"--restore", "a", "b", "c"},
                                             {"restore", "a"},
                                             {"restore", "a", "b", "c"},
                                             {"snapshot", "a", "b"},
                                             {"snapshot", "--adopt"},
                                             {"snapshot", "--compression", "lz4"},
                                             {"backfill", "t", "--overwrite"},
                                             {"config", "extra"},
                                             {"config", "--output", "yaml"},
                                             {"config", "--config"},
                                             {"config", "--parallelism", "1", "--parallelism", "2"},
                                             {"backfill", "t", "-x"},
                                             {"-Dother.key=1", "config"},
                                             {"--help-me"}}) {
    CAPTURE(words.back());
    CHECK(ended(words).exit_code == 2);
    CHECK_FALSE(ended(words).mistake.empty());
  }
}

TEST_CASE("a line that makes no sense still tells which output it wants") {
  CHECK(ended({"nonsense", "--output", "json"}).output == output_format::json);
  CHECK(ended({"--output=json"}).output == output_format::json);
  CHECK(ended({"nonsense"}).output == output_format::text);
}

TEST_CASE("control characters of a wrong line do not reach the terminal") {
  CHECK(ended({"\x1b[31m"}).text.find('\x1b') == std::string::npos);
  CHECK(ended({"config", "\x1b[31m"}).text.find('\x1b') == std::string::npos);
}

TEST_CASE("help names every command, setting, variable and file key; the version is said") {
  const early_end help = ended({"--help"});
  CHECK(help.exit_code == 0);
  for (const setting& which : all_settings()) {
    CAPTURE(which.option);
    CHECK(help.text.find(which.option) != std::string::npos);
    CHECK(help.text.find(which.variable()) != std::string::npos);
    if (which.in_file) CHECK(help.text.find(which.name) != std::string::npos);
  }
  for (const std::string name : {"backfill", "snapshot", "restore", "follow", "history", "show", "config"}) {
    CAPTURE(name);
    const early_end own = ended({name, "--help"});
    CHECK(own.exit_code == 0);
    CHECK(own.text.find("Usage: dynamodb-backup " + name) != std::string::npos);
    CHECK(own.text.find("Example") != std::string::npos);
  }
  const early_end version = ended({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.text == std::string("dynamodb-backup ") + DYNABACKUP_VERSION + "\n");
}

}  // namespace
}  // namespace dynabackup::cli
