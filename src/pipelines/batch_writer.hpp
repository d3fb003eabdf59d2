// BatchWriteItem to the end: leftovers are resent until none is left, a refused item is found by splitting its batch,
// named, and does not stop its neighbours.
#pragma once
#include <string>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynamodb/write_batch.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

class batch_writer {
 public:
  /// `source` names the snapshot in findings.
  batch_writer(run_context& run, report& out, std::string source) : run_(run), out_(out), source_(std::move(source)) {}

  /// Writes every item of `batch` or names it as refused. Throws on anything that concerns more than an item.
  task<void> write(dynamodb::write_batch batch, byte_budget::charge charge);

 private:
  /// False: DynamoDB refused the request for what is in it.
  task<bool> write_whole(const dynamodb::write_batch& batch, std::string& refusal);

  run_context& run_;
  report& out_;
  std::string source_;
};

}  // namespace dynabackup::pipelines
