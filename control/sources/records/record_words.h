// Records in the words of RouterOS's /ip/dns/static: `name=nas.lan address=192.168.88.10
// match-subdomain=yes ttl=1h`.
//
// A property is a key of `records` with hyphens. Times and yes/no are RouterOS's. The reader of a
// record checks its values (config::try_record); values that the file could not contain are
// rejected here. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/executor_settings.h"
#include "matchers/name_matcher.h"
#include "matchers/result.h"

namespace steer::records {

inline constexpr std::size_t kMaxValueBytes = 16'384;

// "name=nas.lan", "type=A", ... as keys and values of the configuration.
Result<config::RecordFields> fields_of(std::span<const std::string> words);
// The value of a property of RouterOS, with its default if it has one; empty: none.
std::string value_of(const config::RecordFields& fields, std::string_view property);
// All properties of a record and their values in RouterOS's words; the type is first.
std::vector<std::pair<std::string, std::string>> properties_of(const config::RecordFields& fields);
// "type=A name=nas.lan address=192.168.88.10", with quotes where a value has blanks.
std::string words_of(const config::RecordFields& fields);
// Whether the record has all these values.
bool matches(const config::RecordFields& record, const config::RecordFields& filter);

// The names whose answers the record changes, and the names of its address, if it has one.
std::vector<matchers::Rule> names_of(const config::RecordFields& fields, bool with_pointer);

}  // namespace steer::records
