// Where secrets are in memory, and that nothing is left of them.
#define BOOST_TEST_MODULE secret
#include "matchers/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace {

using steer::Secret;

struct Mapping {
    std::uintptr_t begin = 0, end = 0;
    std::string rights, flags, name;
};

// The mapping that has `address`; empty: none has it.
template <class F>
void for_each_mapping(const F& f) {
    std::ifstream file("/proc/self/smaps");
    Mapping now;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string range;
        words >> range;
        const auto dash = range.find('-');
        if (dash != std::string::npos && range.find(':') == std::string::npos) {
            now = {};
            now.begin = std::stoull(range.substr(0, dash), nullptr, 16);
            now.end = std::stoull(range.substr(dash + 1), nullptr, 16);
            words >> now.rights;
        } else if (line.starts_with("VmFlags:")) {
            now.flags = line + " ";
            f(now);
        }
    }
}

std::string flags_of(const void* address) {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    std::string found;
    for_each_mapping([&](const Mapping& one) {
        if (one.begin <= at && at < one.end) found = one.flags;
    });
    return found;
}

// How often `text` is in memory that a core file has.
unsigned times_in_core(const std::string& text) {
    unsigned found = 0;
    const long size = static_cast<long>(text.size());
    for_each_mapping([&](const Mapping& one) {
        if (!one.rights.starts_with("rw") || one.flags.find(" dd ") != std::string::npos) return;
        const auto* const begin = reinterpret_cast<const char*>(one.begin);
        const auto* const end = reinterpret_cast<const char*>(one.end);
        for (const char* at = begin; end - at >= size; ++at) {
            if (std::string_view(at, text.size()) == text) ++found;
        }
    });
    return found;
}

// Made now, so that it is in no constant.
std::string made(char first) {
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += static_cast<char>(first + i % 7);
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_secret_is_in_pages_that_core_files_leave_out) {
    const Secret secret(made('a'));
    BOOST_TEST(secret.size() == 60U);
    BOOST_TEST((secret == made('a')));
    BOOST_TEST(flags_of(secret.text().data()).find(" dd ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(copies_share_their_pages_and_the_last_one_removes_them) {
    auto first = std::make_unique<Secret>(made('b'));
    Secret second = *first;
    const void* const page = second.text().data();
    BOOST_TEST(first->text().data() == page);
    first.reset();
    BOOST_TEST((second == made('b')));
    second.clear();
    BOOST_TEST(second.empty());
    BOOST_TEST(::msync(const_cast<void*>(page), 1, MS_ASYNC) != 0);
    BOOST_TEST(errno == ENOMEM);
}

BOOST_AUTO_TEST_CASE(secrets_are_equal_if_their_texts_are) {
    BOOST_TEST((Secret("x") == Secret("x")));
    BOOST_TEST(!(Secret("x") == Secret("y")));
    BOOST_TEST((Secret() == Secret("")));
    BOOST_TEST(Secret().text().empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
BOOST_AUTO_TEST_CASE(freed_memory_keeps_no_text) {
    const std::string wanted = made('c');
    {
        const auto copy = std::make_unique<std::string>(wanted);
        std::ostringstream out;
        out << *copy << *copy;
        BOOST_TEST(times_in_core(wanted) >= 3U);
    }
    BOOST_TEST(times_in_core(wanted) == 1U, "only `wanted` itself");
}
#endif
