// The answers for a first configuration, and the questions for them: `steerdnsd --init`.
//
// A question is one row: its number, option, text and proposed answer, and the function that
// accepts an answer or rejects it with a sentence. Prompts and command line options use the same
// rows. The configuration's own parser accepts every accepted answer.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::init {

// This machine, as far as questions need it.
struct Interface {
    std::string name;
    std::vector<IpAddress> addresses;  // without link-local ones
};
struct Host {
    std::vector<Interface> interfaces;  // all but loopback
    std::string default_interface;      // of the default route; empty: none
    std::vector<std::string> servers;   // resolvers from its network
    std::string user;                   // user that steerdnsd switches to

    [[nodiscard]] const Interface* find(std::string_view name) const;
};

struct Upstream {
    std::string addr, dial_addr;  // `dial_addr` may be empty
};

struct Answers {
    std::vector<std::string> interfaces;
    std::vector<Upstream> upstreams;  // empty: the host's
    std::vector<std::string> allow;   // prefixes; empty: private and own networks
    std::string router;               // "192.168.88.1", also with a port; empty: no router
    std::string user, password;
    std::string
        password_file;  // file that exists already; empty: `password` is written to a new one
    bool tls = false, tls_anonymous = false;
    std::string tls_ca, tls_pin;
    std::vector<std::string> names, name_files;  // rules; absolute paths and URLs
    std::string list;                            // name without _v4 and _v6
    std::string gateway4, gateway6;              // `gateway6` empty: the list has no IPv6
    std::string dns64;                           // a prefix; empty: none
    bool has_page = false;
    std::string ads;   // path or URL of a list; empty: nothing is blocked
    std::string days;  // for which queries are kept; empty: they are not
};

struct Question {
    std::string_view number;   // "4", "4a": "4a" is a part of question 4
    std::string_view option;   // "--router"
    std::string_view asks;     // a sentence; empty: part of the question before it
    std::string_view label;    // in front of the answer
    std::string_view expects;  // accepted texts
    bool secret = false;       // true: not shown while it is typed
    // Whether to ask it after these answers; nullptr: always.
    bool (*applies)(const Answers&) = nullptr;
    // The meaning of an empty answer. Empty text: an answer is required.
    std::string (*proposes)(const Answers&, const Host&) = nullptr;
    Result<void> (*take)(const std::string& text, const Host&, Answers&) = nullptr;
};
std::span<const Question> questions();
inline constexpr int kQuestions = 9;
// The option for a secret, which is in a file of the operator.
inline constexpr std::string_view kPasswordFile = "--router-password-file";

}  // namespace steer::init
