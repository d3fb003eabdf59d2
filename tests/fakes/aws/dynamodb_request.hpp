// The body of a DynamoDB request as its members' raw bytes, and the errors that refuse it. What is left to a later
// reader (items) stays as it was sent.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dynabackup::fakes {

/// Thrown by an operation, made an answer by fake_dynamodb::handle.
struct api_error {
  std::string code;
  std::string message;
  int status = 400;
  std::string members = {};  ///< more of the body: `,"Item":{…}`
};

api_error validation(std::string message);
api_error not_found(const std::string& table);

/// The string that a JSON string literal, quotes included, stands for. SerializationException: it is none.
std::string text_of(std::string_view literal);
/// The elements of an array, raw.
std::vector<std::string_view> elements(std::string_view array);

/// One object.
class members {
 public:
  explicit members(std::string_view object);

  [[nodiscard]] std::optional<std::string_view> raw(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  /// ValidationException: it is missing.
  [[nodiscard]] std::string_view require(std::string_view name) const;
  [[nodiscard]] std::string require_text(std::string_view name) const;
  /// A request that asks for more than the fake can do must not look as if it had been done.
  void allow(std::initializer_list<std::string_view> names) const;

  [[nodiscard]] auto begin() const { return all_.begin(); }
  [[nodiscard]] auto end() const { return all_.end(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  std::vector<std::pair<std::string, std::string_view>> all_;
};

/// NONE, TOTAL or INDEXES; ValidationException for anything else.
enum class capacity { none, total, indexes };
capacity capacity_asked(const members& m);
/// {"TableName":…,"CapacityUnits":…}
std::string capacity_json(const std::string& table, double units, capacity asked);

}  // namespace dynabackup::fakes
