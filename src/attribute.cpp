// What include/dynabackup/attribute.hpp declares.
#include "dynabackup/attribute.hpp"

#include "dynabackup/error.hpp"

namespace dynabackup {
namespace {

[[noreturn]] void refuse() { throw format_error("an attribute value that is not canonical JSON"); }

/// Steps through canonical JSON, in which no white space stands between tokens.
class stepper {
 public:
  explicit stepper(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  void expect(char c) {
    if (!next_is(c)) refuse();
    rest_.remove_prefix(1);
  }
  std::string_view string() {
    if (!next_is('"')) refuse();
    return take(string_end(0));
  }
  std::string_view value() {
    std::size_t at = 0;
    std::size_t open = 0;
    do {
      if (at == rest_.size()) refuse();
      const char c = rest_[at];
      if (c == '"') {
        at = string_end(at);
        continue;
      }
      if (c == '{' || c == '[') ++open;
      if (c == '}' || c == ']') {
        if (open == 0) refuse();
        --open;
      }
      ++at;
      if (open == 0 && c >= 'a' && c <= 'z')
        while (at < rest_.size() && rest_[at] >= 'a' && rest_[at] <= 'z') ++at;
    } while (open != 0);
    return take(at);
  }
  void finish() const {
    if (!rest_.empty()) refuse();
  }

 private:
  /// Behind the closing quote of the string whose opening one is at `at`.
  [[nodiscard]] std::size_t string_end(std::size_t at) const {
    for (++at; at < rest_.size(); ++at) {
      if (rest_[at] == '"') return at + 1;
      if (rest_[at] == '\\') ++at;
    }
    refuse();
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace

attribute::attribute(std::string_view canonical) : text_(canonical) {
  stepper in(canonical);
  in.expect('{');
  type_ = in.string();
  type_ = type_.substr(1, type_.size() - 2);
  in.expect(':');
  value_ = in.value();
  in.expect('}');
  in.finish();
}

std::string_view attribute::string() const {
  if (value_.size() < 2 || value_.front() != '"') refuse();
  return value_.substr(1, value_.size() - 2);
}

std::vector<attribute_member> attribute::members() const { return members_of(value_); }

std::vector<std::string_view> attribute::elements() const {
  std::vector<std::string_view> found;
  stepper in(value_);
  in.expect('[');
  while (!in.next_is(']')) {
    if (!found.empty()) in.expect(',');
    found.push_back(in.value());
  }
  in.expect(']');
  in.finish();
  return found;
}

std::vector<attribute_member> members_of(std::string_view map) {
  std::vector<attribute_member> found;
  stepper in(map);
  in.expect('{');
  while (!in.next_is('}')) {
    if (!found.empty()) in.expect(',');
    const std::string_view name = in.string();
    in.expect(':');
    found.push_back({name, attribute(in.value())});
  }
  in.expect('}');
  in.finish();
  return found;
}

}  // namespace dynabackup
