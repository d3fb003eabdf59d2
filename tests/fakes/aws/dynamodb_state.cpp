#include "fakes/aws/dynamodb_state.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "dynabackup/error.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::array<std::size_t, 2> max_key_bytes = {2048, 1024};

/// AWS's words for what the canonical form refuses.
api_error refusal(std::string_view problem) {
  if (problem.starts_with("the key attribute ")) {
    const std::size_t open = problem.find('"');
    const auto name = problem.substr(open + 1, problem.rfind('"') - open - 1);
    constexpr std::string_view invalid = "One or more parameter values were invalid:";
    if (problem.ends_with("missing"))
      return validation(fmt::format("{} Missing the key {} in the item", invalid, name));
    return validation(fmt::format("{} Type mismatch for key {} expected: {}", invalid, name, problem.back()));
  }
  struct wording {
    std::string_view ours, theirs;
  };
  constexpr std::array<wording, 9> wordings = {{
      {"38 significant", "Attempting to store more than 38 significant digits in a Number"},
      {"beyond", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
      {"below", "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
      {"empty set", "One or more parameter values were invalid: An string set  may not be empty"},
      {"twice", "One or more parameter values were invalid: Input collection contains duplicates."},
      {"NULL must be true",
       "One or more parameter values were invalid: Null attribute value types must have the value "
       "of true"},
      {"nested deeper", "Nesting Levels have exceeded supported limits"},
      {"exactly one type",
       "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
       "supported datatypes"},
      {"unknown type", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
  }};
  for (const wording& w : wordings) {
    if (problem.find(w.ours) != std::string_view::npos) return validation(std::string(w.theirs));
  }
  constexpr std::array syntax = {"JSON",        "expected", "UTF-8",  "surrogate",
                                 "string that", "escape",   "base64", "must be an object"};
  for (const std::string_view word : syntax) {
    if (problem.find(word) != std::string_view::npos) return {"SerializationException", std::string(problem)};
  }
  return validation(fmt::format("One or more parameter values were invalid: {}", problem));
}

/// 2026-11-22T11:45:03.007
std::string stream_label(wall_time at) {
  const auto millis = at.time_since_epoch() % std::chrono::seconds(1);
  std::string label = text::rfc3339(at - millis);
  label.pop_back();
  return fmt::format("{}.{:03}", label, millis.count());
}

std::string without_arn(const std::string& name_or_arn) {
  if (!name_or_arn.starts_with("arn:")) return name_or_arn;
  const std::size_t at = name_or_arn.find(":table/");
  return at == std::string::npos ? name_or_arn : name_or_arn.substr(at + 7);
}

}  // namespace

table_state& dynamodb_state::table(const std::string& name_or_arn) {
  const auto found = tables.find(without_arn(name_or_arn));
  if (found == tables.end() || now() < found->second->created + traits.creation_time) throw not_found(name_or_arn);
  return *found->second;
}

table_state& dynamodb_state::writable(const std::string& name_or_arn) {
  table_state& t = table(name_or_arn);
  if (t.synthetic) throw validation("a synthetic table takes no writes");
  return t;
}

std::shared_ptr<table_state> dynamodb_state::add_table(const std::string& name, const dynamodb::key_schema& key) {
  auto t = std::make_shared<table_state>(name, key, traits.staleness);
  t->arn = fmt::format("arn:aws:dynamodb:{}:123456789012:table/{}", traits.region, name);
  t->id = fmt::format("00000000-0000-4000-8000-{:012}", ++made);
  t->created = now();
  if (!tables.emplace(name, t).second) {
    throw api_error{"ResourceInUseException", fmt::format("Table already exists: {}", name)};
  }
  return t;
}

void dynamodb_state::open_stream(table_state& t, const std::string& view_type) {
  auto stream = std::make_shared<change_stream>();
  stream->created = now();
  // No two streams of a table share a label, however quickly one follows the other.
  const auto taken = [&] {
    return std::any_of(streams.begin(), streams.end(), [&](const auto& s) { return s->arn == stream->arn; });
  };
  do {
    stream->label = stream_label(stream->created);
    stream->arn = fmt::format("{}/stream/{}", t.arn, stream->label);
    if (taken()) stream->created += std::chrono::milliseconds(1);
  } while (taken());
  stream->table = t.name;
  stream->view_type = view_type;
  stream->key = t.key;
  stream->open(traits.stream_shards, t.changes);
  streams.push_back(stream);
  t.stream = stream;
}

void dynamodb_state::close_stream(table_state& t) {
  if (!t.stream) return;
  t.stream->close(t.changes++, now(), 0);
  t.stream->enabled = false;
  t.stream = nullptr;
}

item_and_key dynamodb_state::checked_item(const table_state& t, std::string_view item) {
  item_and_key result;
  try {
    canonical.item_and_key(item, t.key, result.item.text, result.key);
  } catch (const format_error& e) {
    throw refusal(e.what());
  }
  for (std::size_t i = 0; i < t.key.size(); ++i) {
    if (t.key[i].type == 'N') continue;
    const std::size_t bytes = t.store.keys().value_bytes(result.key, i);
    if (bytes == 0) {
      throw validation(
          fmt::format("One or more parameter values are not valid. The AttributeValue for a key attribute "
                      "cannot contain an empty {} value. Key: {}",
                      t.key[i].type == 'S' ? "string" : "binary", t.key[i].name));
    }
    if (bytes > max_key_bytes[i]) {
      throw validation(
          fmt::format("One or more parameter values were invalid: Size of {} has exceeded the maximum size "
                      "limit of {} bytes",
                      i == 0 ? "hashkey" : "rangekey", max_key_bytes[i]));
    }
  }
  result.item.size = item_size(result.item.text);
  if (result.item.size > traits.max_item_bytes) throw validation("Item size has exceeded the maximum allowed size");
  return result;
}

std::string dynamodb_state::checked_key(const table_state& t, std::string_view key) {
  item_and_key result;
  try {
    result = checked_item(t, key);
  } catch (const api_error& e) {
    const bool of_key =
        e.message.find("the key ") != std::string::npos || e.message.find("for key ") != std::string::npos;
    if (!of_key) throw;
    throw validation("The provided key element does not match the schema");
  }
  if (result.item.text != result.key) throw validation("The provided key element does not match the schema");
  return std::move(result.key);
}

std::optional<stored_item> dynamodb_state::put(table_state& t, item_and_key what) {
  ++t.counted.puts;
  const bool told = t.stream || !t.hooks.empty();
  std::optional<std::string> after = told ? std::optional(what.item.text) : std::nullopt;
  item_store::put_outcome done = t.store.put(what.key, std::move(what.item), now());
  if (done.changed) {
    changed(t, what.key, done.before, std::move(after));
  } else {
    ++t.counted.written_again;
  }
  return std::move(done.before);
}

std::optional<stored_item> dynamodb_state::remove(table_state& t, const std::string& key) {
  ++t.counted.deletes;
  std::optional<stored_item> before = t.store.remove(key, now());
  if (before) changed(t, key, before, std::nullopt);
  return before;
}

/// `after` is only filled when somebody is there to be told.
void dynamodb_state::changed(table_state& t, const std::string& key, const std::optional<stored_item>& before,
                             std::optional<std::string> after) {
  const std::uint64_t sequence = t.changes++;
  if (!t.stream && t.hooks.empty()) return;
  table_change change{now(), sequence, key, std::nullopt, std::move(after)};
  if (before) change.before = before->text;
  if (t.stream) t.stream->append(change, t.store.keys().place(key).hash);
  const auto hooks = t.hooks;
  for (const auto& hook : hooks) hook(change);
}

std::optional<wall_time> dynamodb_state::read_moment(bool consistent) {
  if (consistent || traits.staleness.count() == 0) return std::nullopt;
  const double share = traits.random ? traits.random() : 1.0;
  const auto behind = static_cast<std::int64_t>(share * static_cast<double>(traits.staleness.count()));
  return now() - std::chrono::milliseconds(behind);
}

}  // namespace dynabackup::fakes
