// Names to addresses, looked up once per host however many connections are dialled at a time, and kept for a while.
#pragma once
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dynabackup/http.hpp"
#include "dynabackup/task.hpp"

namespace dynabackup::http {

class name_cache {
 public:
  using addresses = std::vector<boost::asio::ip::address>;
  using time_point = std::chrono::steady_clock::time_point;

  explicit name_cache(std::chrono::milliseconds lifetime) : lifetime_(lifetime) {}

  /// The addresses of `where.host`, each call beginning with another one. Throws transport_error when there are none or
  /// the answer is not there by `until`; a lookup under way goes on by itself and serves whoever asks next.
  task<addresses> lookup(origin where, time_point until);
  /// After a failed connection: the next one asks again.
  void forget(const std::string& host);

 private:
  struct entry;
  class answer;

  std::chrono::milliseconds lifetime_;
  std::map<std::string, std::shared_ptr<entry>> entries_;
};

}  // namespace dynabackup::http
