#include "runtime/semaphore.hpp"

#include <bit>
#include <stdexcept>

namespace dynabackup::runtime {

namespace {

std::size_t power_of_two(std::size_t permits) {
  if (!std::has_single_bit(permits)) throw std::invalid_argument("a semaphore's permits must be a power of two");
  return permits;
}

}  // namespace

semaphore::semaphore(std::size_t permits) : places_(power_of_two(permits)) {}

task<semaphore::permit> semaphore::acquire() { co_return permit(co_await places_.acquire(1)); }

}  // namespace dynabackup::runtime
