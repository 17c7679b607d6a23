// A file of JSON in which something is kept over a restart. A file that is no good is said and ignored: it is written anew.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer {

// Nothing (an empty object) if there is no file. Error: it is longer than `most_bytes`, or no JSON object; `loss` ends
// the sentence ("the routers are asked again").
Result<boost::json::object> load_state(const std::string& file, std::size_t most_bytes,
                                       std::string_view loss);
// Written beside and renamed. Nothing is done, and nothing is wrong, if its folder is not there. `setting`: of
// `control`, as in "findings"; `what` begins the sentence ("what was found of RouterOS"), `loss` is what comes of it.
Result<void> save_state(const std::string& file, const std::string& text, std::string_view setting,
                        std::string_view what, std::string_view loss);

// The text of a key; empty: there is none.
std::string_view text_at(const boost::json::object& object, std::string_view key);

}  // namespace steer
