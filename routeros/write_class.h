// The reasons for writes of rows, and measurements of writes: for status and metrics.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace steer::routeros {

// The reasons, most urgent first; writer.h has the rights of each class.
#define STEER_WRITE_CLASSES(X)                                  \
    X(held, "held", "an answer waits for the row")              \
    X(repair, "repair", "the row is missing after a reconnect") \
    X(routine, "routine", "no answer waits for the row")
enum class WriteClass : std::uint8_t {
#define STEER_WRITE_CLASS_ENUM(name, label, text) name,
    STEER_WRITE_CLASSES(STEER_WRITE_CLASS_ENUM)
#undef STEER_WRITE_CLASS_ENUM
};
#define STEER_WRITE_CLASS_LABEL(name, label, text) std::string_view{label},
inline constexpr std::array kWriteClassLabels{STEER_WRITE_CLASSES(STEER_WRITE_CLASS_LABEL)};
#undef STEER_WRITE_CLASS_LABEL
inline constexpr std::size_t kWriteClasses = kWriteClassLabels.size();

// The work of one class so far.
struct ClassWork {
    std::uint64_t rows = 0;  // written and acknowledged by the router
    double work_s = 0;       // estimated work of the router, at the time of sending
    double share = 1;        // of the router's time that the class may use
};

// The delay of added rows, from the first need to the router's acknowledgement.
struct RowDelays {
    static constexpr std::array<std::uint32_t, 12> kBoundsMs{
        5, 10, 20, 50, 100, 200, 500, 1'000, 5'000, 20'000, 60'000, 300'000};
    std::array<std::uint64_t, kBoundsMs.size() + 1> counts{};  // by bound, then all longer ones
    double sum_s = 0;

    void add(std::uint64_t ms) {
        const auto* const bound = std::lower_bound(kBoundsMs.begin(), kBoundsMs.end(), ms);
        ++counts[static_cast<std::size_t>(bound - kBoundsMs.begin())];
        sum_s += static_cast<double>(ms) / 1000;
    }
};

}  // namespace steer::routeros
