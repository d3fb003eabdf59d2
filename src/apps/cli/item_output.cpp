#include "item_output.hpp"

#include <fmt/format.h>
#include <utility>

#include "apps/configuration/text_forms.hpp"
#include "columns.hpp"
#include "item_text.hpp"

namespace dynabackup::cli {
namespace {

using namespace apps;
using origin = item_version::origin;
using kind = item_change::kind;

/// Pieces are gathered to about so much.
constexpr std::size_t piece_bytes = std::size_t{64} << 10;

std::string paragraph(std::size_t indent, std::string_view text) {
  std::string out;
  for (const std::string& line : wrapped(text, page_columns - indent)) {
    out.append(indent, ' ');
    (out += line) += '\n';
  }
  return out;
}

const char* how(const item_version& v) {
  switch (v.by) {
    case origin::stream:
      return "put by the stream";
    case origin::backfill:
      return "put by a backfill";
    case origin::deletion:
      return "deleted";
    case origin::unknown:
      break;
  }
  return "put by something else than this tool";
}

/// What else is known, as much of it on a line as fits.
std::string details(const item_version& v) {
  constexpr std::size_t indent = 4;
  std::string out;
  std::string line;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    const std::string part = std::string(name) + " " + printable(value);
    if (!line.empty() && columns_of(line) + 2 + columns_of(part) > page_columns - indent)
      out += paragraph(indent, std::exchange(line, {}));
    line += (line.empty() ? "" : ", ") + part;
  };
  add("changed at", v.changed_at);
  add("sequence number", v.sequence_number);
  add("stream", v.stream);
  add("run", v.run);
  add("version", v.version_id);
  return line.empty() ? out : out + paragraph(indent, line);
}

std::string heading(const item_version& v, bool one) {
  std::string first = v.arrived + "  " + how(v);
  if (v.current) first += ", current";
  if (v.oldest && !one) first += ", the oldest version in the bucket";
  return paragraph(0, first) + details(v);
}

class text_output : public item_output {
 public:
  text_output(result_sink out, bool one) : out_(std::move(out)), one_(one) {}

  void subject(const item_subject& which) override {
    begun_ = true;
    at_ = which.at;
    std::string text = paragraph(0, printable(which.table) + " " + visible(which.key));
    text += printable(which.object) + "\n";
    if (one_) text += at_.empty() ? "as it is now\n" : "as it was at " + at_ + "\n";
    out_(text);
  }

  void version(const item_version& v) override {
    ++versions_;
    std::string text = "\n" + heading(v, one_);
    if (!v.problem.empty())
      text += paragraph(4, "cannot be read: " + printable(v.problem));
    else if (one_)
      text += v.item.empty() ? "" : "\n" + item_text(v.item);
    else if (!v.changes)
      text += paragraph(4, "not compared: the version before cannot be read");
    else if (v.changes->empty())
      text += paragraph(4, v.item.empty() ? "there was no item before" : "no difference to the version before");
    else
      text += changes_text(*v.changes);
    out_(text);
  }

  void finish() override {
    if (versions_ > 0) {
      if (!one_) out_(fmt::format("\n{} version{}\n", grouped(versions_), versions_ == 1 ? "" : "s"));
      return;
    }
    out_("\n" + paragraph(0, at_.empty()
                                 ? "The bucket has no version of it: nothing was ever recorded under this key, or its "
                                   "versions were removed since."
                                 : "The bucket has no version of it from then or before: nothing had been recorded "
                                   "under this key, or its versions were removed since."));
  }

 private:
  result_sink out_;
  bool one_;
  std::string at_;
  std::uint64_t versions_ = 0;
};

class json_output : public item_output {
 public:
  explicit json_output(result_sink out) : out_(std::move(out)) {}

  void subject(const item_subject& which) override {
    begun_ = true;
    add(fmt::format(R"({{"key":{},"at":{},"versions":[)", which.key, text_or_null(which.at)));
  }

  void version(const item_version& v) override {
    add(std::exchange(first_, false) ? "\n" : ",\n");
    add(fmt::format(
        R"({{"arrived":{},"by":{},"changed_at":{},"sequence_number":{},"stream":{},"run":{},"version_id":{},"current":{},"problem":{},"item":)",
        json_quoted(v.arrived), by(v.by), text_or_null(v.changed_at), text_or_null(v.sequence_number),
        text_or_null(v.stream), text_or_null(v.run), json_quoted(v.version_id), v.current ? "true" : "false",
        text_or_null(v.problem)));
    add(v.item.empty() ? "null" : v.item);
    add(R"(,"changes":)");
    if (v.changes) {
      add("[");
      first_change_ = true;
      changes("", *v.changes);
      add("]}");
    } else {
      add("null}");
    }
    flush(0);
  }

  void finish() override {
    add(first_ ? "]," : "\n],");
    flush(0);
  }

 private:
  static std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_quoted(text); }
  static const char* by(origin which) {
    switch (which) {
      case origin::stream:
        return R"("stream")";
      case origin::backfill:
        return R"("backfill")";
      case origin::deletion:
        return R"("delete")";
      case origin::unknown:
        break;
    }
    return R"("unknown")";
  }
  static const char* name_of(kind what) {
    return what == kind::added      ? "added"
           : what == kind::removed  ? "removed"
           : what == kind::replaced ? "replaced"
                                    : "elements";
  }

  /// `path`: the steps to these, each with a comma behind it.
  void changes(const std::string& path, const std::vector<item_change>& all) {
    for (const item_change& c : all) {
      const std::string here = path + (c.name.empty() ? std::to_string(c.index) : c.name);
      if (c.what == kind::inside) {
        changes(here + ",", c.parts);
        continue;
      }
      add(std::exchange(first_change_, false) ? R"({"path":[)" : R"(,{"path":[)");
      add(here);
      add(fmt::format(R"(],"change":"{}","before":)", name_of(c.what)));
      add(c.before.empty() ? "null" : c.before);
      add(R"(,"after":)");
      add(c.after.empty() ? "null" : c.after);
      add("}");
      flush(piece_bytes);
    }
  }

  void add(std::string_view text) { gathered_ += text; }
  void flush(std::size_t above) {
    if (gathered_.size() <= above) return;
    out_(gathered_);
    gathered_.clear();
  }

  result_sink out_;
  std::string gathered_;
  bool first_ = true;
  bool first_change_ = true;
};

}  // namespace

std::unique_ptr<item_output> item_output_as_text(result_sink out, bool one) {
  return std::make_unique<text_output>(std::move(out), one);
}

std::unique_ptr<item_output> item_output_as_json(result_sink out) {
  return std::make_unique<json_output>(std::move(out));
}

}  // namespace dynabackup::cli
