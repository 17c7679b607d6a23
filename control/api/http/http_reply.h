// A response of HttpServer, as text.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

namespace steer::ops {

struct Reply {
    unsigned status = 200;
    std::string_view type = "text/plain; charset=utf-8";
    std::string body{};
    std::string fields{};  // further ones, each with its line end
    std::string_view cache = "no-store";
};

Reply refusal(unsigned status, std::string sentence, std::string fields = {});
// The reply to bytes that Beast's parser rejects.
Reply refusal(const boost::system::error_code& error);

// `fields`: of every response of a server. `length`: the field Content-Length with its line end, or nothing.
std::string head_of(const Reply& reply, std::string_view fields, std::string_view length,
                    bool keeps);
std::string text_of(const Reply& reply, std::string_view fields, bool keeps, bool head_only);

inline std::string_view view_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace steer::ops
