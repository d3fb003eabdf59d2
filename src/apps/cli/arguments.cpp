#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <map>

#include "dynabackup/error.hpp"
#include "spelling.hpp"
#include "text_forms.hpp"

namespace dynabackup::cli {
namespace {

constexpr auto program = "dynamodb-backup";

constexpr auto usage =
    R"(Usage: dynamodb-backup backfill <table>                every item of a table into the incremental bucket
       dynamodb-backup snapshot [<name>] [--table T]   that bucket's current state into one file
       dynamodb-backup restore <table> <snapshot>      a snapshot into an existing table
       dynamodb-backup config                          the settings in force and where they come from
       (also --backfill <table>, --snapshot, --restore <table> <snapshot>)
More:  dynamodb-backup --help, or <command> --help
)";

constexpr auto overview = "Backs up DynamoDB tables to S3 and restores them.";

constexpr auto overview_end = R"(
The usual AWS variables and files give credentials (AWS_ACCESS_KEY_ID …, AWS_PROFILE, ~/.aws). Every setting above can
stand in the environment [NAME] or, where a second name is shown, in a configuration file:
  s3 {
    incremental { bucket = backup-bucket, prefix = "backup/{table}" }
    snapshot { bucket = snapshot-bucket }
  }
  dynamodb { region = eu-central-1 }
The command line beats the file, the file beats the environment. `dynamodb-backup config` shows what is in force.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 finished, but something differs, was left out or is not
covered; 130 interrupted.

Examples:
  dynamodb-backup backfill users --incremental-bucket my-backups --dynamodb-region eu-central-1
  dynamodb-backup snapshot before-migration.json.gz --config backup.conf
  dynamodb-backup restore users-copy before-migration.json.gz --config backup.conf --output json
)";

constexpr auto backfill_end = R"(
Reads the whole table and stores each item as its own object; what the stream has already written is never overwritten.
Run it once after changes began to be recorded, or by itself for a one-off backup. It may be repeated at any time.

Needs: s3.incremental.bucket, dynamodb.region. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup backfill users --config backup.conf
  INCREMENTAL_BUCKET=my-backups DYNAMODB_REGION=eu-central-1 dynamodb-backup backfill users --parallelism 64
)";

constexpr auto snapshot_end = R"(
Writes the current state of the incremental bucket as one file of DynamoDB JSON, an item a line. The file appears only
when it is complete.

Needs: s3.incremental.bucket, s3.snapshot.bucket. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup snapshot --config backup.conf
  dynamodb-backup snapshot users-friday.json.zst --compression zstd --table users --config backup.conf
)";

constexpr auto restore_end = R"(
Inserts every item of the snapshot into the table, which must exist. It is not emptied: items with other keys stay.

Needs: s3.snapshot.bucket, dynamodb.region. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup restore users 2026-11-22T11-45-03Z.json.gz --config backup.conf
  dynamodb-backup restore users-copy users-friday.json.zst --table users --config backup.conf
)";

constexpr auto config_end = R"(
Passwords and keys are never shown.

Example:
  dynamodb-backup config --config backup.conf
)";

constexpr std::array<std::string_view, 4> command_names{"backfill", "snapshot", "restore", "config"};

std::string setting_help(const setting& which) {
  std::string places{which.variable()};
  if (which.in_file) places += (places.empty() ? "" : ", ") + std::string(which.name);
  std::string help{which.help};
  if (!which.fallback.empty()) help += fmt::format("; default {}", which.fallback);
  if (!places.empty()) help += fmt::format(" [{}]", places);
  return help;
}

std::string_view value_name(setting_kind kind) {
  switch (kind) {
    case setting_kind::bucket:
    case setting_kind::prefix:
    case setting_kind::host:
    case setting_kind::text:
    case setting_kind::encryption:
      return "VALUE";
    case setting_kind::url:
      return "URL";
    case setting_kind::flag:
      return "true|false";
    case setting_kind::bytes:
      return "SIZE";
    case setting_kind::port:
    case setting_kind::parallelism:
    case setting_kind::segments:
    case setting_kind::attempts:
      return "N";
  }
  return "VALUE";
}

/// What CLI11 fills in, beside `arguments`.
struct raw_line {
  std::string classic_backfill;
  bool classic_snapshot = false;
  std::vector<std::string> classic_restore;
  std::string any_table;  ///< --table outside of a command that knows it
  std::string output = "text";
  std::string codec = "gzip";
};

class command_line {
 public:
  explicit command_line(arguments& into) : into_(into) {
    app_.name(program);
    app_.set_help_flag("-h,--help", "Show this help, or that of a command");
    app_.set_version_flag("--version", fmt::format("{} {}", program, DYNABACKUP_VERSION), "Show the version");
    const auto look = std::make_shared<CLI::Formatter>();
    look->column_width(38);
    look->label("OPTIONS", "OPTIONS");
    app_.formatter(look);
    app_.footer(overview_end);
    app_.require_subcommand(0, 1);
    common_options();
    setting_options();
    classic_forms();
    commands();
  }

  void parse(std::vector<std::string> line) {
    std::reverse(line.begin(), line.end());  // CLI11 takes its arguments from the back
    app_.parse(std::move(line));
    decide();
  }

  std::string help() {
    for (const CLI::App* chosen : app_.get_subcommands()) return chosen->help(program);
    return app_.help();
  }

 private:
  void common_options() {
    app_.add_option("--config", into_.config_file, "Configuration file [DYNABACKUP_CONFIG]; also -Dconfig.file=FILE")
        ->type_name("FILE");
    app_.add_option("--output", raw_.output, "What stdout gets: text or json (one object)")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("text|json");
    app_.add_flag("--quiet", into_.quiet, "No progress on stderr; warnings and errors still");
  }

  void setting_options() {
    for (const setting& which : all_settings()) {
      const std::string group = which.name.starts_with("s3.")         ? "Settings of S3"
                                : which.name.starts_with("dynamodb.") ? "Settings of DynamoDB"
                                                                      : "More settings";
      app_.add_option_function<std::string>(
              std::string(which.option), [this, id = which.id](const std::string& value) { into_.options[id] = value; },
              setting_help(which))
          ->type_name(std::string(value_name(which.kind)))
          ->group(group);
    }
  }

  void classic_forms() {
    app_.add_option("--backfill", raw_.classic_backfill)->group("");
    app_.add_flag("--snapshot", raw_.classic_snapshot)->group("");
    app_.add_option("--restore", raw_.classic_restore)->expected(2)->group("");
    app_.add_option("--table", raw_.any_table)->group("");
  }

  CLI::App* add_command(command what, const char* description, const char* end) {
    CLI::App* added = app_.add_subcommand(std::string(name_of(what)), description);
    added->fallthrough();
    added->footer(end);
    added->callback([this, what] { chosen_.push_back(what); });
    return added;
  }

  void commands() {
    CLI::App* backfill =
        add_command(command::backfill, "Every item of a table into the incremental bucket", backfill_end);
    backfill->add_option("table", into_.table, "Name or ARN of the table")->required()->type_name("");
    backfill->add_flag("--unversioned", into_.unversioned, "Accept a bucket without versioning: no history, no undo");
    backfill->add_flag("--adopt", into_.adopt, "Accept that the table was recreated or has a new ARN");

    CLI::App* snapshot = add_command(command::snapshot, "The bucket's current state into one file", snapshot_end);
    snapshot->add_option("name", into_.snapshot, "Name of the file; the time if not given")->type_name("");
    snapshot->add_option("--table", into_.prefix_table, "What {table} in a prefix stands for")->type_name("TABLE");
    snapshot->add_option("--compression", raw_.codec, "gzip, zstd or none; default gzip")
        ->check(CLI::IsMember({"gzip", "zstd", "none"}))
        ->type_name("CODEC");
    snapshot->add_flag("--overwrite", into_.overwrite, "Replace a snapshot of that name");

    CLI::App* restore = add_command(command::restore, "A snapshot into an existing table", restore_end);
    restore->add_option("table", into_.table, "Name or ARN of the table")->required()->type_name("");
    restore->add_option("snapshot", into_.snapshot, "Name of the snapshot")->required()->type_name("");
    restore->add_option("--table", into_.prefix_table, "What {table} in a prefix stands for, if not this table")
        ->type_name("TABLE");

    add_command(command::config, "The settings in force and where they come from", config_end);
  }

  /// Exactly one command, in one of its forms.
  void decide() {
    const auto given = [&](const char* option) { return app_.count(option) > 0; };
    const bool known_table = given("--backfill") || given("--restore");
    if (given("--backfill")) classic(command::backfill, raw_.classic_backfill, "");
    if (given("--snapshot")) classic(command::snapshot, "", "");
    if (given("--restore")) classic(command::restore, raw_.classic_restore.at(0), raw_.classic_restore.at(1));
    if (chosen_.empty()) throw usage_error("a command is missing");
    if (chosen_.size() > 1) throw usage_error("one command at a time");
    if (given("--table")) {
      if (!into_.classic || known_table)
        throw usage_error(fmt::format("{} takes no --table", name_of(chosen_.front())));
      into_.prefix_table = raw_.any_table;
    }
    into_.what = chosen_.front();
    into_.output = raw_.output == "json" ? output_format::json : output_format::text;
    into_.codec = raw_.codec == "zstd"   ? compression::zstd
                  : raw_.codec == "none" ? compression::none
                                         : compression::gzip;
  }

  void classic(command what, std::string table, std::string snapshot) {
    chosen_.push_back(what);
    into_.classic = true;
    into_.table = std::move(table);
    into_.snapshot = std::move(snapshot);
  }

  arguments& into_;
  raw_line raw_;
  std::vector<command> chosen_;
  CLI::App app_{overview};
};

/// The Java spelling of --config.
void translate_classic_config(std::vector<std::string>& line) {
  constexpr std::string_view java = "-Dconfig.file=";
  for (std::string& word : line)
    if (word.starts_with(java)) word.replace(0, java.size(), "--config=");
}

/// --output as far as a line that makes no sense can tell.
output_format likely_output(const std::vector<std::string>& line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == "--output=json" || (line[i] == "--output" && i + 1 < line.size() && line[i + 1] == "json"))
      return output_format::json;
  return output_format::text;
}

std::string suggestion(const std::vector<std::string>& line) {
  if (line.empty() || line.front().starts_with('-')) return "";
  if (std::find(command_names.begin(), command_names.end(), line.front()) != command_names.end()) return "";
  const std::string_view near = nearest_word(line.front(), command_names);
  return fmt::format("{} is not a command{}", in_quotes(line.front()),
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

early_end mistake_in(const std::vector<std::string>& line, const std::string& what) {
  const std::string better = suggestion(line);
  early_end end{2, "", printable(better.empty() ? what : better), likely_output(line)};
  end.text = fmt::format("{}: {}\n\n{}", program, end.mistake, usage);
  return end;
}

}  // namespace

std::string_view name_of(command what) { return command_names[static_cast<std::size_t>(what)]; }

std::variant<arguments, early_end> parse_arguments(std::vector<std::string> line) {
  translate_classic_config(line);
  arguments parsed;
  command_line known(parsed);
  try {
    known.parse(line);
    return parsed;
  } catch (const CLI::CallForHelp&) {
    return early_end{0, known.help(), "", output_format::text};
  } catch (const CLI::CallForVersion& version) {
    return early_end{0, std::string(version.what()) + "\n", "", output_format::text};
  } catch (const CLI::ParseError& mistake) {
    return mistake_in(line, mistake.what());
  } catch (const usage_error& mistake) {
    return mistake_in(line, mistake.what());
  }
}

}  // namespace dynabackup::cli
