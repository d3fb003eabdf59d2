#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <map>

#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"
#include "help_texts.hpp"
#include "mistake.hpp"

namespace dynabackup::cli {
namespace {

constexpr std::array<std::string_view, 7> command_names{"backfill", "snapshot", "restore", "follow",
                                                        "history",  "show",     "config"};

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
    case setting_kind::units:
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
  std::optional<std::string> at;
};

/// Commands first, then their options; CLI11 would close with the commands.
class help_form : public CLI::Formatter {
 public:
  help_form() {
    column_width(38);
    label("REQUIRED", "");
  }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (app->get_parent() == nullptr)
      return fmt::format("{}\n\n{}{}{}", overview, usage, make_groups(app, mode), overview_end);
    return app->get_description() + ".\n\n" + make_usage(app, name) + make_positionals(app) + make_groups(app, mode) +
           app->get_footer();
  }
  std::string make_usage(const CLI::App* app, std::string) const override {
    std::string line = fmt::format("Usage: {} {}", program, app->get_name());
    for (const CLI::Option* word : app->get_options([](const CLI::Option* o) { return o->get_positional(); }))
      line += word->get_required() ? fmt::format(" <{}>", word->get_name(true))
                                   : fmt::format(" [<{}>]", word->get_name(true));
    return line + " [options]\n";
  }
};

class command_line {
 public:
  explicit command_line(arguments& into) : into_(into) {
    app_.name(program);
    app_.set_help_flag("-h,--help", "Show this help, or that of a command");
    app_.set_version_flag("--version", fmt::format("{} {}", program, DYNABACKUP_VERSION), "Show the version");
    app_.formatter(std::make_shared<help_form>());
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

  [[nodiscard]] std::vector<std::string> option_names() const {
    std::vector<std::string> names;
    const auto collect = [&](const CLI::App& app) {
      for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    };
    collect(app_);
    for (const CLI::App* each : app_.get_subcommands({})) collect(*each);
    return names;
  }

  std::string help() {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? app_.help() : chosen.front()->help();
  }

 private:
  void common_options() {
    app_.add_option("--config", into_.config_file, "Configuration file [DYNABACKUP_CONFIG]; also -Dconfig.file=FILE")
        ->type_name("FILE");
    app_.add_option("--output", raw_.output, "What stdout gets: text or json (one object)")
        ->check(CLI::IsMember({"text", "json"}).description(""))
        ->type_name("text|json");
    app_.add_flag("--quiet", into_.quiet, "No progress and notices on stderr; warnings and errors still");
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
    // CLI11 does not name hidden options in its complaints: decide() counts their words.
    app_.add_option("--backfill", raw_.classic_backfill)->expected(0, 1)->group("");
    app_.add_flag("--snapshot", raw_.classic_snapshot)->group("");
    app_.add_option("--restore", raw_.classic_restore)->expected(0, 2)->group("");
    app_.add_option("--table", raw_.any_table)->group("");
  }

  CLI::App* add_command(command what, const char* description, const char* end) {
    CLI::App* added = app_.add_subcommand(std::string(name_of(what)), description);
    added->fallthrough();
    added->footer(end);
    added->callback([this, what] { chosen_.push_back(what); });
    return added;
  }

  void add_dry_run(CLI::App* to) {
    to->add_flag("--dry-run", into_.dry_run, "Only say what would be done and what it costs; writes nothing");
  }

  void add_at(CLI::App* to, const std::string& what) {
    to->add_option("--at", raw_.at, what + ": 2026-11-22T11:45:03Z, or -90s, -30m, -2h, -7d")->type_name("TIME");
  }

  void add_moment(CLI::App* to, const std::string& what) {
    add_at(to, what);
    to->add_flag("--accept-incomplete", into_.accept_incomplete,
                 "With --at: also where the bucket cannot tell for sure; exit code 3");
  }

  void add_key(CLI::App* to) {
    to->add_option("--key", into_.key, "The item's key: NAME=VALUE for each attribute of it, or DynamoDB JSON")
        ->required()
        ->type_name("KEY");
    to->add_option("--table", into_.prefix_table, "What {table} in a prefix stands for")->type_name("TABLE");
  }

  void commands() {
    CLI::App* backfill =
        add_command(command::backfill, "Every item of a table into the incremental bucket", backfill_end);
    backfill->add_option("table", into_.table, "Name or ARN of the table")->required()->type_name("");
    backfill->add_flag("--unversioned", into_.unversioned, "Accept a bucket without versioning: no history, no undo");
    backfill->add_flag("--adopt", into_.adopt, "Accept that the table was recreated or has a new ARN");

    backfill->add_flag("--sweep", into_.sweep, "Only sweep behind backfills that were left open, and close them");
    add_dry_run(backfill);

    CLI::App* snapshot = add_command(command::snapshot, "The bucket's current state into one file", snapshot_end);
    snapshot->add_option("name", into_.snapshot, "Name of the file; the time if not given")->type_name("");
    snapshot->add_option("--table", into_.prefix_table, "What {table} in a prefix stands for")->type_name("TABLE");
    snapshot->add_option("--compression", raw_.codec, "gzip, zstd or none; default gzip")
        ->check(CLI::IsMember({"gzip", "zstd", "none"}).description(""))
        ->type_name("CODEC");
    snapshot->add_flag("--overwrite", into_.overwrite, "Replace a snapshot of that name");
    add_moment(snapshot, "The state at a past moment");
    add_dry_run(snapshot);

    CLI::App* restore = add_command(command::restore, "A snapshot into an existing table", restore_end);
    restore->add_option("table", into_.table, "Name or ARN of the table")->required()->type_name("");
    restore->add_option("snapshot", into_.snapshot, "Name of the snapshot")->type_name("");
    restore->add_option("--table", into_.prefix_table, "What {table} in a prefix stands for, if not this table")
        ->type_name("TABLE");
    add_moment(restore, "Instead of a snapshot what the incremental bucket held at a past moment");
    restore->add_flag("--resume", into_.resume, "Go on where an interrupted restore of this snapshot stopped");
    add_dry_run(restore);

    CLI::App* follow =
        add_command(command::follow, "A table's changes into the incremental bucket, as they happen", follow_end);
    follow->add_option("table", into_.table, "Name or ARN of the table")->required()->type_name("");
    follow->add_flag("--enable-stream", into_.enable_stream, "Switch the table's stream on if it has none");
    follow->add_flag("--coalesce", into_.coalesce, "Of changes that are read together keep an item's newest only");
    follow->add_flag("--dead-letters", into_.dead_letters,
                     "Keep changes that cannot be read in the bucket and go on, with a gap");
    follow->add_flag("--unversioned", into_.unversioned, "Accept a bucket without versioning: no history, no undo");
    follow->add_flag("--adopt", into_.adopt, "Accept that the table was recreated or has a new ARN");

    add_key(add_command(command::history, "Every version of one item, and what changed", history_end));
    CLI::App* show = add_command(command::show, "One item, as it is or as it was", show_end);
    add_key(show);
    add_at(show, "As it was at a past moment");

    add_command(command::config, "The settings in force and where they come from", config_end);
  }

  /// Exactly one command, in one of its forms.
  void decide() {
    const auto given = [&](const char* option) { return app_.count(option) > 0; };
    if (given("--backfill") && raw_.classic_backfill.empty()) throw usage_error("--backfill takes a table");
    if (given("--restore") && raw_.classic_restore.size() != 2)
      throw usage_error("--restore takes a table and a snapshot");
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
    if (into_.sweep && into_.dry_run) throw usage_error("--sweep and --dry-run do not go together");
    if (raw_.at) into_.at = moment_of(*raw_.at);
    if (into_.accept_incomplete && !into_.at) throw usage_error("--accept-incomplete goes with --at");
    into_.what = chosen_.front();
    if (into_.what == command::restore) decide_source();
    into_.output = raw_.output == "json" ? output_format::json : output_format::text;
    into_.codec = raw_.codec == "zstd"   ? compression::zstd
                  : raw_.codec == "none" ? compression::none
                                         : compression::gzip;
  }

  void decide_source() {
    if (into_.snapshot.empty() && !into_.at) throw usage_error("restore takes a snapshot, or --at and a time");
    if (!into_.snapshot.empty() && into_.at)
      throw usage_error("restore takes a snapshot or --at, not both: a snapshot is of one moment");
    if (into_.resume && into_.at)
      throw usage_error(
          "--resume goes with a snapshot; a restore with --at is run again as a whole, which does no harm");
  }

  static moment moment_of(const std::string& text) {
    const std::optional<moment> read = parse_moment(text);
    if (read) return *read;
    throw usage_error(fmt::format(
        "--at: {} is no moment: write it as 2026-11-22T11:45:03Z or 2026-11-22T12:45:03+01:00 (RFC 3339), or as a span "
        "before now by the bucket's clock: -90s, -30m, -2h, -7d",
        in_quotes(text)));
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
    return mistake_in(line, mistake.what(), {command_names, known.option_names()});
  } catch (const usage_error& mistake) {
    return mistake_in(line, mistake.what(), {command_names, known.option_names()});
  }
}

}  // namespace dynabackup::cli
