// The network under a run in a world: carries requests to the fakes and answers back, in virtual time, with a fate for
// each. What was sent takes effect even when nobody waits for it any more.
#pragma once
#include <cstdint>

#include "dynabackup/transport.hpp"
#include "simulation/fault_plan.hpp"
#include "simulation/world.hpp"

namespace dynabackup::simulation {

inline constexpr const char* dynamodb_host = "dynamodb.test";
inline constexpr const char* s3_host = "s3.test";
inline constexpr const char* key_host = "localhost";  ///< keys are told in plain text to this machine alone

class fake_network final : public transport {
 public:
  fake_network(world& outside, runtime::clock& clock, fault_plan& plan) : world_(outside), clock_(clock), plan_(plan) {}

  task<response> send(request& r) override;

  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  struct delivery;
  response answer_to(const request& r, service to, const fate& f, const delivery& d);

  world& world_;
  runtime::clock& clock_;
  fault_plan& plan_;
  std::uint64_t requests_ = 0;
};

}  // namespace dynabackup::simulation
