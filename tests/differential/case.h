// A case: a configuration, what is asked of it, and what is seen of that.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace steer::differential {

struct Sequence {
    std::string tag;
    std::vector<std::string> rules;  // in YAML's flow style
};

struct Config {
    std::vector<std::string> plugins;  // all but the sequences, in YAML's flow style
    std::vector<Sequence> sequences;   // the first one is the server's entry ...
    bool second_server = false;        // ... and the second one that of another, at kSecondAddress

    [[nodiscard]] std::string yaml() const;
};

struct Question {
    std::uint64_t after_ms;  // since the question before
    std::string name;        // as the client writes it
    std::uint16_t type;
    std::uint16_t klass;
    bool dnssec_ok;
    bool checking_disabled;
    std::string client;
    std::string local;                  // the address that was asked
    std::string server_name, url_path;  // empty: not over TLS, HTTP
};

struct Case {
    Config config;
    std::vector<Question> questions;
};

// One of the answer or authority section; `data` as text: an address, a name, "MINIMUM" of a SOA.
struct Record {
    std::string owner;
    std::uint16_t type;
    std::uint32_t ttl_s;
    std::string data;
    auto operator<=>(const Record&) const = default;
};

struct Outcome {
    unsigned rcode = 0;
    std::vector<Record> records;
    bool dropped = false;            // no answer is sent
    bool nobody_answered = false;    // EDE 0: the program ended without an answer
    std::vector<std::string> asked;  // addresses of upstreams, in order
    std::set<std::string> lists;     // tags of those that the answer is claimed for
    std::vector<std::string> notes;
    std::set<std::string> raised;  // tags of what control is to do
    std::string decision;          // the word of the query's record
    std::string block{};           // EDE of a block and its text: "16 Court orders"
    bool operator==(const Outcome&) const = default;
};

std::string text(const Question& q);
std::string text(const Outcome& o);

inline constexpr const char* kSecondAddress = "198.51.100.54";
inline constexpr std::uint16_t kA = 1, kCname = 5, kSoa = 6, kTxt = 16, kAaaa = 28;
inline constexpr unsigned kNoError = 0, kServFail = 2, kNxDomain = 3, kNotImp = 4, kYxDomain = 6;
inline constexpr std::uint16_t kChaos = 3;  // a class

}  // namespace steer::differential
