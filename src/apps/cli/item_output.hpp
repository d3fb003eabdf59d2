// What history and show print while they run: text for people, or the beginning of the one JSON object of the run.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "dynabackup/item_versions.hpp"

namespace dynabackup::cli {

/// Takes each piece of the result as it comes; throws where it cannot be written.
using result_sink = std::function<void(std::string_view)>;

class item_output : public item_listener {
 public:
  /// What is left to say when the run is over. In JSON: nothing but the end of `versions` and a comma, so that the
  /// members of the run can follow; not to be called before subject() was.
  virtual void finish() = 0;
  [[nodiscard]] bool begun() const { return begun_; }

 protected:
  bool begun_ = false;
};

/// `one`: of show, an item as it was; else a history.
std::unique_ptr<item_output> item_output_as_text(result_sink out, bool one);
/// {"key":…,"at":…,"versions":[…], with each version on a line of its own.
std::unique_ptr<item_output> item_output_as_json(result_sink out);

}  // namespace dynabackup::cli
