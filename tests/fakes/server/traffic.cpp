#include "fakes/server/traffic.hpp"

#include <fmt/format.h>
#include <numeric>

#include "fakes/server/operation.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t most_operations = 100;

/// `"name":{…}` with the members that `rows` gives, each already JSON.
void append_object(std::string& out, std::string_view name, const std::map<std::string, std::string>& rows) {
  text::append_json_string(out, name);
  out += ":{";
  for (bool first = true; const auto& [key, value] : rows) {
    if (!std::exchange(first, false)) out += ',';
    text::append_json_string(out, key);
    out.append(":").append(value);
  }
  out += '}';
}

}  // namespace

void traffic::arrived(const request& r) {
  const std::string_view operation = operation_of(r);
  auto known = requests_.find(operation);
  if (known == requests_.end()) {
    // A name can be the client's own invention, too.
    const bool room = requests_.size() < most_operations && text::valid_utf8(operation);
    known = requests_.try_emplace(room ? std::string(operation) : "unknown").first;
  }
  ++known->second;
}

void traffic::served(const request& r, const response& answer) {
  if (r.method != "PUT" || operation_of(r) != "PutObject") return;
  if (answer.status == 200) ++objects_stored_;
  if (answer.status == 412) ++objects_there_already_;
}

std::string traffic::json(std::string_view dynamodb) const {
  std::map<std::string, std::string> requests;
  std::uint64_t all = 0;
  for (const auto& [operation, count] : requests_) {
    requests[operation] = std::to_string(count);
    all += count;
  }
  std::map<std::string, std::string> faults;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    faults[std::string(name_of(static_cast<fault_kind>(i)))] = std::to_string(faults_[i]);
  }
  std::string out = fmt::format("{{\"requests_total\":{},\"faults_total\":{},", all,
                                std::accumulate(faults_.begin(), faults_.end(), std::uint64_t{0}));
  append_object(out, "requests", requests);
  out += ',';
  append_object(out, "faults", faults);
  out += fmt::format(R"(,"put_object":{{"stored":{},"refused_412":{}}},"unprocessed_items":{},"dynamodb":{}}})",
                     objects_stored_, objects_there_already_, unprocessed_items_, dynamodb);
  return out + "\n";
}

}  // namespace dynabackup::fakes
