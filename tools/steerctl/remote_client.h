// One request to steerdnsd over HTTPS (`control.http`): POST /rpc with a token or a client
// certificate.
//
// Over the connection of routeros; libcurl would add twenty libraries to the package. Plain HTTP is for this machine only.
// The certificate must be trusted and have the host's name or address.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "client.h"

namespace steerctl {

inline constexpr std::string_view kHttpsPort = "9154";

struct Remote {
    std::string token_file, ca, cert, key;  // paths; empty: none
};

// Returns whether `place` is a URL, to which ask() sends its request.
bool is_url(std::string_view place);
// Sets the credentials of all requests to URLs. Call it before the first one.
void set_remote(Remote remote);
Reply ask_url(const std::string& url, std::string_view request, std::chrono::seconds patience);

}  // namespace steerctl
