// dynamodb-backup: arguments and settings in, one operation of the engine, its outcome out.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <system_error>

#include "apps/configuration/prepare_process.hpp"
#include "apps/configuration/process_settings.hpp"
#include "apps/configuration/text_forms.hpp"
#include "arguments.hpp"
#include "dynabackup/engine.hpp"
#include "item_output.hpp"
#include "locations.hpp"
#include "progress_line.hpp"
#include "report_output.hpp"

namespace dynabackup::cli {
namespace {

using clock = std::chrono::steady_clock;

void say(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }
void complain(const std::string& what) { say("dynamodb-backup: " + printable(what) + "\n"); }
void warn(const std::string& what) { say("warning: " + printable(what) + "\n"); }

/// A result that did not arrive (disk full, pipe closed) is a failure.
int print_result(const std::string& text, int exit_code) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return exit_code;
  complain("stdout cannot be written: " + std::generic_category().message(errno));
  return exit_failed;
}

void print_piece(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw error("stdout cannot be written: " + std::generic_category().message(errno));
}

/// VmHWM of /proc/self/status (proc(5)), in bytes; 0 where there is none. Not ru_maxrss: exec hands that one on, so a
/// program started by a large parent would report its parent's peak.
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view name = "VmHWM:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
  return 0;
}

void measure_process(run_result& result) {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) != 0) return;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  result.peak_rss_bytes = peak_memory();
  result.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// One run of the program, from its arguments to its exit code.
class session {
 public:
  explicit session(arguments line) : line_(std::move(line)) { result_.command = name_of(line_.what); }

  int run() {
    try {
      configure();
      if (line_.what == command::config)
        result_.settings = setting_lines(in_force_);
      else
        operate();
    } catch (const boost::system::system_error& e) {
      fail(e.code() == boost::system::errc::operation_canceled ? describe(interrupted()) : describe(e));
    } catch (const std::exception& e) {
      fail(describe(e));
    }
    measure_process(result_);
    return show();
  }

 private:
  [[nodiscard]] bool about_an_item() const { return line_.what == command::history || line_.what == command::show; }
  [[nodiscard]] bool json() const { return line_.output == output_format::json; }

  void configure() {
    process_settings around = read_process_settings(line_.options, line_.config_file);
    who_ = std::move(around.who);
    in_force_ = std::move(around.in_force);
    configured_ = true;
  }

  void operate() {
    require_settings(line_, in_force_);
    const locations where = locate(line_, in_force_);
    if (where.warning) warn(*where.warning);
    name_the_work(where);
    announce();
    if (about_an_item())
      versions_ =
          json() ? item_output_as_json(print_piece) : item_output_as_text(print_piece, line_.what == command::show);
    engine runner(to_settings(in_force_, who_));
    // A progress line would run into what is printed meanwhile.
    progress_display display(stderr_display(line_.quiet || about_an_item()));
    progress seen;
    const auto start = clock::now();
    const auto elapsed = [start] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start);
    };
    const auto take_stock = [&] {
      display.finish(seen);
      if (where.warning) result_.done.warnings.insert(result_.done.warnings.begin(), *where.warning);
      warnings_said_ = where.warning ? 1 : 0;
      result_.items_settled = seen.items;
    };
    try {
      result_.done = runner.run(operation(runner, where, seen), [&] { display.tick(seen, elapsed()); });
    } catch (...) {
      take_stock();
      result_.done.requests = seen.requests;
      result_.done.retries = seen.retries;
      result_.done.throttles = seen.throttles;
      result_.done.peak_in_flight = seen.peak_in_flight;
      result_.done.seconds = static_cast<double>(elapsed().count()) / 1000;
      throw;
    }
    take_stock();
    result_.exit_code = !result_.done.whole()      ? exit_incomplete
                        : result_.done.interrupted ? exit_interrupted
                                                   : exit_done;
  }

  task<report> operation(engine& runner, const locations& where, progress& seen) {
    switch (line_.what) {
      case command::snapshot:
        return runner.snapshot({.from = where.incremental,
                                .to = where.snapshot,
                                .name = line_.snapshot,
                                .overwrite = line_.overwrite,
                                .codec = line_.codec,
                                .dry_run = line_.dry_run,
                                .at = line_.at,
                                .accept_incomplete = line_.accept_incomplete},
                               seen);
      case command::restore:
        if (line_.at)
          return runner.restore_past({.from = where.incremental,
                                      .at = *line_.at,
                                      .table = line_.table,
                                      .accept_incomplete = line_.accept_incomplete,
                                      .dry_run = line_.dry_run},
                                     seen);
        return runner.restore({.from = where.snapshot,
                               .name = line_.snapshot,
                               .table = line_.table,
                               .resume = line_.resume,
                               .dry_run = line_.dry_run,
                               .state = in_force_[setting_id::state].text},
                              seen);
      case command::follow:
        return runner.follow({.table = line_.table,
                              .to = where.incremental,
                              .enable_stream = line_.enable_stream,
                              .coalesce = line_.coalesce,
                              .dead_letters = line_.dead_letters,
                              .unversioned = line_.unversioned,
                              .adopt = line_.adopt},
                             seen);
      case command::history:
        return runner.history({.from = where.incremental, .key = line_.key, .at = {}}, *versions_, seen);
      case command::show:
        return runner.show({.from = where.incremental, .key = line_.key, .at = line_.at}, *versions_, seen);
      default:
        return runner.backfill({.table = line_.table,
                                .to = where.incremental,
                                .unversioned = line_.unversioned,
                                .adopt = line_.adopt,
                                .sweep_only = line_.sweep,
                                .dry_run = line_.dry_run},
                               seen);
    }
  }

  /// What a failed run's outcome says too.
  void name_the_work(const locations& where) {
    report& work = result_.done;
    work.operation = name_of(line_.what);
    if (about_an_item()) {
      work.source = where.incremental.text();
      return;
    }
    const bool to_items = line_.what == command::backfill || line_.what == command::follow;
    work.source = to_items                                      ? line_.table
                  : line_.what == command::snapshot || line_.at ? where.incremental.text()
                                                                : where.snapshot.text() + line_.snapshot;
    work.destination = to_items                          ? where.incremental.text()
                       : line_.what == command::snapshot ? where.snapshot.text() + line_.snapshot
                                                         : line_.table;
    subject_ = printable(work.operation + " of " + work.source + " to " + work.destination);
  }

  void announce() {
    if (line_.classic && !json() && print_result("starting " + subject_ + "\n", exit_done) != exit_done)
      throw error("nothing was done");
  }

  void fail(failure what) {
    result_.exit_code = configured_ ? exit_code_of(what) : exit_usage;
    result_.failed = std::move(what);
  }

  int show() {
    for (std::size_t i = warnings_said_; i < result_.done.warnings.size(); ++i) warn(result_.done.warnings[i]);
    if (result_.failed) complain(result_.failed->message);
    if (versions_ && versions_->begun()) return end_versions();
    if (json()) return print_result(result_json(result_), result_.exit_code);
    if (line_.what == command::config)
      return result_.failed ? result_.exit_code : print_result(settings_text(result_.settings), result_.exit_code);
    if (!line_.classic)
      return result_.failed ? result_.exit_code : print_result(result_text(result_), result_.exit_code);
    if (!result_.failed && (!line_.quiet || result_.exit_code != exit_done)) say(result_text(result_));
    return subject_.empty() ? result_.exit_code : print_result(classic_end(), result_.exit_code);
  }

  /// Of an item nothing but its versions is printed; what else there is to say of the run goes to stderr.
  int end_versions() {
    if (!json() && result_.failed) return result_.exit_code;
    if (!json()) say(remarks_text(result_.done));
    try {
      versions_->finish();
    } catch (const std::exception& e) {
      complain(e.what());
      return exit_failed;
    }
    return print_result(json() ? result_members(result_) + "}\n" : "", result_.exit_code);
  }

  [[nodiscard]] std::string classic_end() const {
    if (result_.failed) return "failed: " + subject_ + "\n";
    const char* end = result_.exit_code == exit_done ? "finished " : "finished, but not whole: ";
    return end + subject_ + ", " + grouped(result_.items_settled) + " items\n";
  }

  arguments line_;
  credential_settings who_;
  configuration in_force_;
  run_result result_;
  std::unique_ptr<item_output> versions_;  ///< of history and show
  std::string subject_;                    ///< "backfill of users to s3://…"
  std::size_t warnings_said_ = 0;          ///< of the report's, already on stderr
  bool configured_ = false;
};

int finish_early(const early_end& end) {
  if (end.exit_code == exit_done) return print_result(end.text, exit_done);
  say(end.text);
  if (end.output != output_format::json) return end.exit_code;
  run_result result;
  result.exit_code = end.exit_code;
  result.failed = failure{"usage", end.mistake, "", "", ""};
  measure_process(result);
  return print_result(result_json(result), end.exit_code);
}

}  // namespace

int run(std::vector<std::string> words) {
  auto parsed = parse_arguments(std::move(words));
  if (const auto* end = std::get_if<early_end>(&parsed)) return finish_early(*end);
  return session(std::get<arguments>(std::move(parsed))).run();
}

}  // namespace dynabackup::cli

int main(int argc, char** argv) {
  dynabackup::apps::prepare_process();
  try {
    return dynabackup::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dynamodb-backup: %s\n", e.what());
    return dynabackup::cli::exit_failed;
  }
}
