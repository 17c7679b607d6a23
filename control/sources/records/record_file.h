// The file of runtime records: its text, and its replacement as a whole.
//
// A change reads the file, so that manual edits are kept, and writes it completely; comments are
// lost. The file is replaced by rename(2) after its bytes are on disk.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "control/config/lists/runtime_records.h"
#include "matchers/result.h"

namespace steer::records {

inline constexpr std::size_t kMaxRecords = 10'000;  // of the file

std::string text_of(const config::RecordBook& book);

struct Change {
    std::string tag;  // of a `static`
    std::optional<config::RecordFields> add;
    std::vector<config::RecordFields> remove;  // each removes one record with exactly these fields
};
// Error: the book is full, or has no such record.
Result<void> apply(const Change& change, config::RecordBook& book);

// The file before and after a change. Empty `before`: it did not exist.
struct Written {
    std::optional<std::string> before;
    std::string after;
};
// Blocks. Error: the file is invalid, cannot be read or written; it is unchanged.
Result<Written> change_file(const std::string& file, const Change& change);
// Undoes a change, unless the file was changed again.
Result<void> restore_file(const std::string& file, const Written& written);

}  // namespace steer::records
