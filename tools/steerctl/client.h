// One request to steerdnsd over its control socket (JSON-RPC 2.0, one object per line). Blocks for
// at most `patience`; depends on no other part of the daemon.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "matchers/exit_codes.h"

namespace steerctl {

inline constexpr std::chrono::seconds kPatience{5};
inline constexpr std::chrono::seconds kLongPatience{60};  // for methods that read the whole cache

// The maximum of a request, over the socket and over HTTPS; the daemon refuses longer ones.
inline constexpr std::size_t kMostRequest = std::size_t{4} * 1024 * 1024;

struct Reply {
    boost::json::value result;
    std::string error;        // a sentence for the operator; empty: there is a result
    steer::ErrorCode code{};  // of an error
    int rpc_code = 0;         // of ErrorCode::rejected
};

// Reads the daemon's answer to the request with id 1. It was received over `where`, which `option`
// names.
Reply read_answer(std::string_view answer, std::string_view where, std::string_view option);

// Gets each page of a long answer, in order.
using TakePage = std::function<void(boost::json::object&& page)>;

// `params`: null for none. `socket`: a path, or a URL (remote_client.h). A list that comes in pages
// is asked for to its end, and is one result.
Reply ask(const std::string& socket, std::string_view method,
          const boost::json::value& params = nullptr, std::chrono::seconds patience = kPatience);

// The same, one page at a time, without holding them. A reply without an error has no result.
Reply ask_pages(const std::string& socket, std::string_view method,
                const boost::json::value& params, std::chrono::seconds patience,
                const TakePage& take);

}  // namespace steerctl
