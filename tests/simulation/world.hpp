// Everything outside of dynabackup: one table, one bucket, their clocks, a recorder, and an application that goes on
// writing. Outlives the runs in it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dynabackup/s3_location.hpp"
#include "fakes/aws/fake_dynamodb.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/virtual_clock.hpp"
#include "simulation/dice.hpp"
#include "simulation/fault_plan.hpp"
#include "simulation/recorder.hpp"
#include "simulation/regions.hpp"

namespace dynabackup::simulation {

struct world_settings {
  std::uint64_t items = 200;
  bool stream = true;
  bool writers = false;  ///< an application changes the table while we run; needs the stream
  fakes::s3_traits store;
  fakes::dynamodb_traits table;
  bool session_tokens = false;  ///< keys come from an endpoint and expire; else they are good for ever
  bool verbose = false;
};

class world {
 public:
  world(std::uint64_t seed, world_settings settings);
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  static inline const std::string table = "items";
  static inline const s3_location home{"backup", "backup/"};
  static inline const s3_location snapshots{"snapshots", "snapshots/"};

  /// A request arrives: judged for its date, carried out, looked at by the writers.
  response serve(const request& r, service to);
  /// The endpoint that gives out keys.
  response give_keys();
  /// All tokens given out so far are good no more; not again before two minutes are over.
  void revoke_tokens();

  /// Puts item n into the table, new or in a new state.
  void write(std::uint64_t n);
  void erase(const std::string& key);
  /// The application writes now and then for so long, and around what our requests touch.
  void let_writers_loose(milliseconds how_long);
  void stop_writers() { loose_ = false; }
  /// In some worlds buckets are in another region than we were told, or come to be while we run.
  void let_buckets_move();
  /// Lets everything happen that is still to come.
  void settle();

  /// canonical key → canonical item, as they are now.
  [[nodiscard]] std::map<std::string, std::string> items() const { return tables.items(table); }
  /// Keys whose item was changed since the world began.
  [[nodiscard]] const std::set<std::string>& changed() const { return changed_; }
  void say(const std::string& what) const;

  fakes::timeline time;
  dice chance;
  fakes::fake_s3 store;
  fakes::fake_dynamodb tables;
  dynamodb::key_schema key;
  recorder reference;
  regions places;
  world_settings settings;
  bool late_checkpoint = false;  ///< a checkpoint was saved by a request that nobody waited for any more
  bool kept_checkpoint = false;  ///< the faults let none remove one, and the run said so

 private:
  void write_about(const request& r, const response& answer);
  void touch(const std::string& key);
  void touch_soon(const std::string& key, milliseconds at_most);

  [[nodiscard]] bool is_known(const request& r) const;
  response serve_object(const request& r);

  std::map<std::string, fakes::wall_time> tokens_;  // and until when they are good
  std::uint64_t given_tokens_ = 0;
  milliseconds next_revocation_{0};
  std::uint64_t revision_ = 0;
  std::uint64_t next_item_ = 0;
  std::map<std::string, std::string> members_;  // canonical key → as it is spelt
  std::set<std::string> changed_;
  bool loose_ = false;
  int reactions_left_ = 0;
};

/// "Sun, 22 Nov 2026 11:45:03 GMT"
std::string http_date(fakes::wall_time t);

}  // namespace dynabackup::simulation
