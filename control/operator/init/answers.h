// What a first configuration is made of, and the questions that ask for it: `steerdnsd --init`.
//
// A question is one row: its number, its option, its text, the answer that it proposes, and the function that takes an
// answer or refuses it with a sentence. Prompts and options of the command line come from the same rows. An answer that
// was taken is one that the configuration's own parser takes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::init {

// This machine, as far as questions are about it.
struct Interface {
    std::string name;
    std::vector<IpAddress> addresses;  // no link-local ones
};
struct Host {
    std::vector<Interface> interfaces;  // all but the loopback
    std::string default_interface;      // of the default route; empty: there is none
    std::vector<std::string> servers;   // the resolvers that its network named
    std::string user;                   // that steerdnsd becomes

    [[nodiscard]] const Interface* find(std::string_view name) const;
};

struct Upstream {
    std::string addr, dial_addr;  // `dial_addr` may be empty
};

struct Answers {
    std::vector<std::string> interfaces;
    std::vector<Upstream> upstreams;  // none: the host's
    std::vector<std::string> allow;   // prefixes; none: private and own networks
    std::string router;               // "192.168.88.1" or with a port; empty: no router
    std::string user, password;
    std::string
        password_file;  // that the operator has already; empty: `password` is written to one
    bool tls = false, tls_anonymous = false;
    std::string tls_ca, tls_pin;
    std::vector<std::string> names, name_files;  // rules; absolute paths and URLs
    std::string list;                            // without _v4 and _v6
    std::string gateway4, gateway6;              // `gateway6` empty: the list has no IPv6
    std::string dns64;                           // a prefix; empty: none
};

struct Question {
    std::string_view number;   // "4", "4a": part of a question before it
    std::string_view option;   // "--router"
    std::string_view asks;     // a sentence; empty: part of the question before it
    std::string_view label;    // in front of the answer
    std::string_view expects;  // what may be written
    bool secret = false;       // not shown while it is typed
    // Whether it is asked after these answers; nullptr: always.
    bool (*applies)(const Answers&) = nullptr;
    // What an empty answer means; empty text: there has to be an answer.
    std::string (*proposes)(const Answers&, const Host&) = nullptr;
    Result<void> (*take)(const std::string& text, const Host&, Answers&) = nullptr;
};
std::span<const Question> questions();
inline constexpr int kQuestions = 6;
// The option for a secret, which is in a file of the operator's.
inline constexpr std::string_view kPasswordFile = "--router-password-file";

}  // namespace steer::init
