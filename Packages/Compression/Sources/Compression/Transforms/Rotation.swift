import DecoderModels
import ModelLoader
import Tensors

/// A rotation of the residual stream, and of what each head attends to, by Hadamard matrices: large
/// values in a few channels spread over all of them. Weights are rotated once; the model computes
/// what it did, without further work.
///
/// Source: QuaRot, arXiv:2404.00456, sections 4.1 and 4.2. It holds for norms without a mean, whose
/// weights move into the layers that read them, and for layers whose outputs meet in sums alone.
struct Rotation: Sendable {
  /// Of the residual stream.
  let residual: Hadamard
  /// Of the values of a head.
  private let head: Hadamard

  /// Makes sure that a model can be rotated.
  ///
  /// - Throws: `CompressionError.transform` naming what cannot.
  init(_ source: DecoderSource) throws(CompressionError) {
    let shape = source.shape
    func wrong(_ reason: String) -> CompressionError {
      .transform(name: "rotation", reason: reason)
    }
    func hadamard(_ width: Int, _ name: String) throws(CompressionError) -> Hadamard {
      guard let found = Hadamard(width: width) else {
        throw wrong(Hadamard.obstacle(name, width: width))
      }
      return found
    }
    residual = try hadamard(shape.hiddenSize, "the residual stream")
    head = try hadamard(shape.heads.dimension, "a head")
    for layer in 0..<shape.layers {
      let block = try CompressionError.wrapping(
        model: { () throws(ModelError) in try source.describedBlock(layer) })
      if let obstacle = block.rotationObstacle("layer \(layer)") { throw wrong(obstacle) }
    }
    let outer = try CompressionError.wrapping(
      model: { () throws(ModelError) in try source.outerTensors() })
    guard outer.first.count == 1, outer.last.count <= 2 else {
      throw wrong("the embedding is more than a matrix")
    }
  }

  /// Rotates a block in place; its norms become ones.
  ///
  /// - Throws: `TensorError` when memory is short.
  func apply(to block: inout DecoderBlock) throws(TensorError) {
    var sites = block.sites
    for site in sites.indices {
      let norm = sites[site].norm.map { block.norms[$0].weight }
      for index in sites[site].linears.indices {
        let isOutput = !sites[site].isPartInput
        let isValue = site == 0 && index == 2
        let isAttentionOutput = site == 1
        try sites[site].linears[index].change { values, width in
          if let norm {
            for at in values.indices { values[at] *= norm[at % width] }
            residual.rotate(rowsOf: &values)
          }
          if isValue { head.rotate(columnsOf: &values, width: width) }
          if isAttentionOutput { head.rotate(rowsOf: &values) }
          if isOutput { residual.rotate(columnsOf: &values, width: width) }
        }
      }
    }
    block.sites = sites
    for norm in block.norms.indices {
      block.norms[norm].weight = block.norms[norm].weight.map { _ in 1 }
    }
  }

  /// The embedding's rows, `[vocabulary, hidden]`, rotated.
  func embedding(_ values: [Float]) -> [Float] {
    var values = values
    residual.rotate(rowsOf: &values)
    return values
  }

  /// The head's rows, `[vocabulary, hidden]`, times the last norm's weights, rotated.
  func head(_ values: [Float], norm: [Float]) -> [Float] {
    var values = values
    for at in values.indices { values[at] *= norm[at % norm.count] }
    residual.rotate(rowsOf: &values)
    return values
  }
}

extension Hadamard {
  /// Rotates each part of the rows of a matrix that is as wide as the rotation by itself.
  func rotate(rowsOf values: inout [Float]) {
    values.withUnsafeMutableBufferPointer { values in
      guard let base = values.baseAddress else { return }
      for first in stride(from: 0, to: values.count, by: self.width) { rotate(base + first) }
    }
  }

  /// Rotates the columns of a matrix whose rows have `width` numbers, each part of a column that is
  /// as high as the rotation by itself.
  func rotate(columnsOf values: inout [Float], width: Int) {
    var column = [Float](repeating: 0, count: self.width)
    values.withUnsafeMutableBufferPointer { values in
      for top in stride(from: 0, to: values.count / width, by: self.width) {
        for at in 0..<width {
          for row in 0..<self.width { column[row] = values[(top + row) * width + at] }
          column.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { rotate(base) } }
          for row in 0..<self.width { values[(top + row) * width + at] = column[row] }
        }
      }
    }
  }
}
