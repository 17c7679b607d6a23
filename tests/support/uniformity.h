// Whether numbers are as random as they should be: Pearson's chi-square over equal bins, and the
// correlation of consecutive numbers. With the seeds of a test these results never change; with the
// system's random numbers a limit of six deviations fails once in 500 million runs.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace steer::test {

// Counts numbers in [0, bins).
class Uniformity {
  public:
    explicit Uniformity(std::size_t bins) : counts_(bins) {}

    void add(std::size_t bin) {
        ++counts_.at(bin);
        ++total_;
    }
    // Chi-square as a number of standard deviations from its mean: (x - k) / sqrt(2 k), where k is
    // bins - 1. The approximation is good for some thousand bins of ten numbers each.
    [[nodiscard]] double deviations() const {
        const double expected = static_cast<double>(total_) / static_cast<double>(counts_.size());
        double x = 0;
        for (const auto count : counts_) {
            const double off = static_cast<double>(count) - expected;
            x += off * off / expected;
        }
        const auto k = static_cast<double>(counts_.size() - 1);
        return (x - k) / std::sqrt(2 * k);
    }
    [[nodiscard]] std::uint64_t total() const { return total_; }

  private:
    std::vector<std::uint32_t> counts_;
    std::uint64_t total_ = 0;
};

// Pearson's correlation of pairs (x, y), as a number of standard deviations from 0.
class Correlation {
  public:
    void add(double x, double y) {
        ++n_;
        x_ += x, y_ += y;
        xx_ += x * x, yy_ += y * y, xy_ += x * y;
    }
    [[nodiscard]] double deviations() const {
        const double n = static_cast<double>(n_);
        const double r = (n * xy_ - x_ * y_) / std::sqrt((n * xx_ - x_ * x_) * (n * yy_ - y_ * y_));
        return r * std::sqrt(n);
    }

  private:
    std::uint64_t n_ = 0;
    double x_ = 0, y_ = 0, xx_ = 0, yy_ = 0, xy_ = 0;
};

}  // namespace steer::test
