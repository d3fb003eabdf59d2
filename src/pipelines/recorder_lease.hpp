// recorder.json in the bucket: a lease, so that only one follows a prefix, and the checkpoint, in one document. Every
// write renews the lease and has the write before as its condition; where the store keeps no conditions, it looks at
// what is there first. Whoever has not written for a while does not trust its own lease: it may have been asleep.
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "archive/recorder_state.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

class recorder_lease {
 public:
  /// By the bucket's clock: so long after its last write a lease is another's to take.
  static constexpr std::chrono::seconds lifetime{30};
  /// By our own: so long after a write was begun its holder sends anything without another. Less than `lifetime`, so
  /// that nothing is begun once another may hold it. What is under way by then may land later still: whoever takes over
  /// waits for that.
  static constexpr std::chrono::seconds trust{20};
  /// What was begun while it was trusted is under way so long, also where its holder is frozen and only the network
  /// and the bucket know of it; from then on late_effects count.
  static constexpr std::chrono::seconds longest_attempt{65};
  /// How soon it is written again, when there is something to say and when there is not.
  static constexpr std::chrono::seconds busy_renewal{5}, idle_renewal{10};

  /// `conditional`: the store keeps If-None-Match and If-Match.
  recorder_lease(run_context& run, s3_location home, bool conditional, std::string owner);

  /// What was recorded so far, or nothing. usage_error while another holds it.
  task<archive::recorder_state> take();
  /// Writes the state, under our name. error when another took the lease.
  task<void> save(archive::recorder_state state);
  /// The same, and gives the lease back.
  task<void> release(archive::recorder_state state);

  /// Whether the bucket has lately confirmed that the lease is ours.
  [[nodiscard]] bool trusted() const;
  /// error unless it is; `lapses` counts those.
  void require();
  [[nodiscard]] std::uint64_t lapses() const { return lapses_; }
  /// Waits until it is, while a sibling of the caller renews; throws `interrupted` when that is requested, and what
  /// nobody_renews() was told.
  task<void> hold();
  /// Why no renewal comes any more.
  void nobody_renews(std::exception_ptr why) { failure_ = std::move(why); }
  /// Throws that.
  void check() const;
  /// It ran out in another's hands, and what that one sent may still land.
  [[nodiscard]] bool predecessor_may_come_late() const;
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] std::string name() const;

 private:
  struct found_state {
    archive::recorder_state state;
    std::string etag;
    s3::time_point at{};
  };
  enum class outcome { written, refused };

  task<std::optional<found_state>> look();
  task<void> write(archive::recorder_state state);
  task<outcome> put(std::string body);
  task<void> find_our_last();
  task<void> confirm_claim();
  task<void> remove_superseded();
  [[noreturn]] void refuse(const found_state& held) const;
  [[noreturn]] void give_up(const std::string& owner);

  run_context& run_;
  s3_location home_;
  std::string key_;
  bool conditional_;
  std::string owner_;
  std::string predecessor_;  ///< who wrote what was there when we took it
  std::uint64_t serial_ = 0;
  std::optional<std::string> etag_;  ///< of what we believe to be current; nullopt: nothing
  std::string version_id_;           ///< of our last write
  std::string superseded_;           ///< of the one before it
  bool may_remove_ = true;
  bool lost_ = false;
  std::exception_ptr failure_;
  std::uint64_t lapses_ = 0;
  struct moment {
    runtime::clock::steady_time steady;
    runtime::clock::wall_time wall;
  };
  std::optional<moment> confirmed_;                        ///< when our last write was begun
  std::optional<runtime::clock::steady_time> not_before_;  ///< until then a predecessor's late writes may land
};

/// What recorder.json says, whoever holds it; nullopt: there is none.
task<std::optional<archive::recorder_state>> recorded_so_far(run_context& run, s3_location home);

}  // namespace dynabackup::pipelines
