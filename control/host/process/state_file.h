// A JSON file with state that survives a restart. A damaged file is reported and ignored, and the
// next save writes it again; the state of people is kept beside it.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer {

// The object in the file; an empty one if there is no file. Error: it cannot be read, is longer
// than `most_bytes`, or is not a JSON object. `loss` is the consequence ("the routers are asked
// again").
Result<boost::json::object> load_state(const std::string& file, std::size_t most_bytes,
                                       std::string_view loss);
// The same for what people made: a file that cannot be read is renamed to FILE.damaged, and the error
// says so.
Result<boost::json::object> load_or_keep(const std::string& file, std::size_t most_bytes,
                                         std::string_view loss);
// The setting that names a state file, for reports, and the mode of the file.
struct StateFile {
    std::string_view setting;  // "findings"
    std::string_view section = "control";
    mode_t mode = 0644;
    // Not all of the present file could be read: it is kept as FILE.damaged.
    bool is_damaged = false;
};
// Writes a new file and renames it. If the folder does not exist, does nothing and returns no
// error. `what` begins the sentence ("what was found of RouterOS"), `loss` is the consequence.
Result<void> save_state(const std::string& file, const std::string& text, const StateFile& how,
                        std::string_view what, std::string_view loss);

// The text of a key; empty if the key is missing.
std::string_view text_at(const boost::json::object& object, std::string_view key);
// Whether the key exists and is true.
bool is_true_at(const boost::json::object& object, std::string_view key);

}  // namespace steer
