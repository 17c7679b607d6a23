// A response of RpcServer, as text. Every response has the fields that protect the page's users from other sites.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace steer::ops {

inline constexpr std::uint32_t kMaxRpcHead = 8 * 1024;
// The longest content of clients that were not let in yet; of others: kMaxControlLine.
inline constexpr std::uint64_t kMaxUnknownContent = 64 * 1024;

struct Reply {
    unsigned status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body{};
    std::string fields{};  // further ones, each with its line end
};

Reply refusal(unsigned status, std::string sentence, std::string fields = {});
// To bytes that Beast's parser refuses.
Reply refusal(const boost::system::error_code& error);
Reply too_long();

// `length`: the field Content-Length with its line end, or nothing.
std::string head_of(const Reply& reply, std::string_view length, bool keeps);
std::string text_of(const Reply& reply, bool keeps, bool head_only);

inline std::string_view view_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace steer::ops
