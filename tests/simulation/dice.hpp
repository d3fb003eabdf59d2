// Seeded chance: the same seed gives the same numbers on every machine (the standard's distributions do not promise
// that).
#pragma once
#include <chrono>
#include <cstdint>

namespace dynabackup::simulation {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}

  /// splitmix64 (Steele, Lea and Flood, 2014).
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0 … n-1.
  std::uint64_t below(std::uint64_t n) { return n < 2 ? 0 : next() % n; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  milliseconds between(milliseconds least, milliseconds most) {
    return milliseconds{between(least.count(), most.count())};
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// True this often: 0 … 1.
  bool chance(double share) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < share; }
  template <class Container>
  const auto& pick(const Container& from) {
    return *(std::begin(from) + static_cast<std::ptrdiff_t>(below(std::size(from))));
  }
  /// Dice of their own: what is thrown with them shifts nothing here.
  dice fork() { return dice(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace dynabackup::simulation
