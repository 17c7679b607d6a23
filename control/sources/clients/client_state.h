// The file that keeps given names over a restart: JSON, {"aa:bb:cc:dd:ee:ff": {"name": "tablet",
// "at": 1790000000, "who": "uid 0"}, ...}.
#pragma once

#include <string>

#include "control/sources/clients/client_names.h"
#include "matchers/result.h"

namespace steer::clients {

inline constexpr std::size_t kMaxGivenNames = 10'000;

std::string state_text(const GivenNames& names);
// Empty if there is no file. Rows with an invalid key or name are omitted.
Result<GivenNames> load_names(const std::string& file);
// Returns false if the folder of the file does not exist: then nothing is kept.
Result<bool> save_names(const std::string& file, const std::string& text);

}  // namespace steer::clients
