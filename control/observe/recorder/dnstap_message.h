// A query or response as a dnstap message: protobuf, with dnstap.info's schema.
//
// Hand-written: one message with fifteen fields, and no reader (decision 0020). Writes into the
// caller's string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/observe/recorder/recorded_query.h"

namespace steer::recorder {

// Content type of its Frame Streams.
inline constexpr std::string_view kDnstapContent = "protobuf:dnstap.Dnstap";

struct DnstapSource {
    std::string identity, version;
};

// CLIENT_QUERY and CLIENT_RESPONSE; each replaces `out`. If the message bytes are missing, the
// other fields are written.
void put_client_query(const DnstapSource& source, const RecordedQuery& query, std::string& out);
void put_client_response(const DnstapSource& source, const RecordedQuery& query, std::string& out);

}  // namespace steer::recorder
