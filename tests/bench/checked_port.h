// A port in front of another that compares every 64th packet that goes out with what it should be.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <string>
#include <utility>

#include "bench/answer_check.h"
#include "dataplane/port/port.h"

namespace steer::bench {

class CheckedPort final : public Port {
  public:
    // `inner` outlives it.
    CheckedPort(Port& inner, AnswerCheck check)
        : Port(inner), inner_(inner), check_(std::move(check)) {}

    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override {
        return inner_.rx(out, n);
    }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        for (std::uint16_t i = 0; i < n; ++i) {
            if (++sent_ % kCompareEach == 0) compare(*packets[i]);
        }
        return inner_.tx(packets, n);
    }
    void flush() noexcept override { inner_.flush(); }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return inner_.pool(); }

    // Once its worker has ended.
    [[nodiscard]] std::uint64_t compared() const { return compared_; }
    [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
    [[nodiscard]] const std::string& why() const { return why_; }  // of the first that was wrong

  private:
    void compare(const rte_mbuf& m) {
        ++compared_;
        const std::string& why =
            check_.why_wrong({rte_pktmbuf_mtod(&m, const std::uint8_t*), m.data_len});
        if (!why.empty() && wrong_++ == 0) why_ = why;
    }

    Port& inner_;
    AnswerCheck check_;
    std::uint64_t sent_ = 0, compared_ = 0, wrong_ = 0;
    std::string why_;
};

}  // namespace steer::bench
