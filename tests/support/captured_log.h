// What is logged while it lives, and nowhere else. One thread.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace steer::test {

class CapturedLog {
  public:
    CapturedLog() {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
    }
    ~CapturedLog() { spdlog::set_default_logger(before_); }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;

    // How often this was reported.
    [[nodiscard]] std::size_t count(std::string_view sentence) const {
        const std::string text = text_.str();
        std::size_t n = 0;
        for (auto at = text.find(sentence); at != std::string::npos;
             at = text.find(sentence, at + 1))
            ++n;
        return n;
    }

  private:
    std::ostringstream text_;
    const std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

}  // namespace steer::test
